using System.Text.Json;

namespace Supervisor.Daemon.Web;

/// <summary>
/// What the page shows now. Each part has the version at which it last changed, so a viewer gets what is newer than the version that
/// it has, however slow it is, and nothing is kept for it. Any thread.
/// </summary>
internal sealed class LiveState
{
    private static readonly LiveKind[] Kinds = Enum.GetValues<LiveKind>();

    private readonly Lock _lock = new();
    private readonly Dictionary<LiveKind, Group> _groups = Kinds.ToDictionary(kind => kind, _ => new Group());
    private long _version;

    /// <summary>Replaces the parts of some kinds. Counts as a new version also if nothing has changed.</summary>
    public void Put(IReadOnlyList<LivePart> parts, params LiveKind[] kinds)
    {
        lock (_lock)
        {
            _version++;
            foreach (var kind in kinds)
            {
                _groups[kind].Put(_version, [.. parts.Where(part => part.Kind == kind)]);
            }
        }
    }

    /// <summary>
    /// Writes, as members of the current JSON object, what is newer than <paramref name="version"/>; 0 for everything. Members: the name of
    /// a kind with the array of its changed documents, and <c>KIND_names</c> with all names in order if those have changed.
    /// </summary>
    /// <returns>The version that the viewer has then.</returns>
    public long Write(Utf8JsonWriter writer, long version)
    {
        lock (_lock)
        {
            foreach (var kind in Kinds)
            {
                _groups[kind].Write(writer, Word(kind), version);
            }

            return _version;
        }
    }

    private static string Word(LiveKind kind) => kind switch
    {
        LiveKind.Daemon => "daemon",
        LiveKind.Service => "services",
        LiveKind.Listener => "listeners",
        LiveKind.Diagnosis => "diagnosis",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>The parts of one kind.</summary>
    private sealed class Group
    {
        private Dictionary<string, (long Version, byte[] Json)> _parts = [];
        private string[] _names = [];
        private long _namesVersion;

        public void Put(long version, LivePart[] parts)
        {
            var now = new Dictionary<string, (long Version, byte[] Json)>(parts.Length);
            foreach (var part in parts)
            {
                now[part.Name] = _parts.TryGetValue(part.Name, out var before) && before.Json.AsSpan().SequenceEqual(part.Json)
                    ? before
                    : (version, part.Json);
            }

            string[] names = [.. now.Keys];
            if (!names.AsSpan().SequenceEqual(_names))
            {
                (_names, _namesVersion) = (names, version);
            }

            _parts = now;
        }

        public void Write(Utf8JsonWriter writer, string word, long version)
        {
            if (_namesVersion > version)
            {
                writer.WriteStartArray(word + "_names");
                foreach (var name in _names)
                {
                    writer.WriteStringValue(name);
                }

                writer.WriteEndArray();
            }

            var isOpen = false;
            foreach (var name in _names)
            {
                var part = _parts[name];
                if (part.Version <= version)
                {
                    continue;
                }

                if (!isOpen)
                {
                    writer.WriteStartArray(word);
                    isOpen = true;
                }

                writer.WriteRawValue(part.Json, skipInputValidation: true);
            }

            if (isOpen)
            {
                writer.WriteEndArray();
            }
        }
    }
}
