using System.Text.Json;
using System.Text.Json.Nodes;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.State;

/// <summary>The changes of a journal, applied to the checkpoint that it belongs to: <see cref="JournalFormat"/>.</summary>
internal sealed class JournalReplay : IDisposable
{
    private const string HistoryField = "history";
    private const string StateField = "state";

    private readonly List<JsonDocument> _lines = [];
    private readonly Changes _listeners = new();
    private readonly Changes _services = new();
    private JsonElement? _clock;
    private readonly List<JsonElement> _configChanges = [];
    private JsonElement? _config;
    private JsonElement? _order;

    private JournalReplay()
    {
    }

    /// <summary>The changes; none if the journal does not belong to that checkpoint.</summary>
    public static JournalReplay Of(ReadOnlyMemory<byte> journal, ReadOnlyMemory<byte> checkpoint)
    {
        var replay = new JournalReplay();
        if (!JournalFormat.IsOf(journal.Span, checkpoint.Span))
        {
            return replay;
        }

        journal = journal[JournalFormat.HeaderLength..];
        while (JournalFormat.TryNext(ref journal, out var line))
        {
            var parsed = JsonDocument.Parse(line);
            replay._lines.Add(parsed);
            replay.Take(parsed.RootElement);
        }

        return replay;
    }

    /// <summary>Whether the configuration has changed.</summary>
    public bool HasConfig => _config is not null || _configChanges.Count > 0;

    /// <summary>Applies what belongs to no listener and no service.</summary>
    public void ApplyTo(JsonObject document)
    {
        if (_clock is { } clock)
        {
            document[JournalFormat.ClockField] = ManifestFormat.Node(clock);
        }

        if (_config is { } config)
        {
            document[JournalFormat.ConfigField] = ManifestFormat.Node(config);
        }

        foreach (var change in _configChanges)
        {
            Config(Object(document, JournalFormat.ConfigField), change);
        }
    }

    /// <summary>The listeners: those of the checkpoint, with a changed copy of those that have changed, then new ones.</summary>
    public IEnumerable<SavedElement> Listeners(IEnumerable<SavedElement> checkpoint)
    {
        var all = Elements(checkpoint, _listeners, static element => element.GetProperty("spec"), Listener);
        if (_order is not { } order)
        {
            return all.Select(one => one.Element);
        }

        // Listeners that came later follow.
        var places = order.EnumerateArray().Index().ToDictionary(one => one.Item.GetString()!, one => one.Index, StringComparer.Ordinal);
        return all.OrderBy(one => places.GetValueOrDefault(one.Name, int.MaxValue)).Select(one => one.Element);
    }

    /// <summary>The services, in the same way.</summary>
    public IEnumerable<SavedElement> Services(IEnumerable<SavedElement> checkpoint) =>
        Elements(
            checkpoint, _services, static element => element.GetProperty(StateField).GetProperty("spec"), Service)
        .Select(one => one.Element);

    /// <inheritdoc/>
    public void Dispose() => _lines.ForEach(line => line.Dispose());

    private void Take(JsonElement line)
    {
        _clock = line.GetProperty(JournalFormat.ClockField);
        if (line.TryGetProperty(JournalFormat.ConfigField, out var config))
        {
            _config = config;
            _configChanges.Clear();
        }
        else if (line.TryGetProperty(JournalFormat.ConfigChangeField, out var change))
        {
            _configChanges.Add(change);
        }

        _order = line.TryGetProperty(JournalFormat.OrderField, out var order) ? order : _order;
        _listeners.Take(line.GetProperty(JournalFormat.RemovedListenersField), line.GetProperty(JournalFormat.ListenersField));
        _services.Take(line.GetProperty(JournalFormat.RemovedServicesField), line.GetProperty(JournalFormat.ServicesField));
    }

    private IEnumerable<(string Name, SavedElement Element)> Elements(
        IEnumerable<SavedElement> checkpoint, Changes changes, Func<JsonElement, JsonElement> specOf,
        Func<JsonObject, List<JsonElement>, JsonObject> apply)
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var element in checkpoint)
        {
            var name = _lines.Count == 0 ? "" : element.Name(specOf)!;
            if (!changes.Removed.Contains(name))
            {
                there.Add(name);
                yield return (name, changes.ByName.TryGetValue(name, out var of)
                    ? new SavedElement(default, default, apply(element.Node()!.AsObject(), of))
                    : element);
            }
        }

        foreach (var name in changes.Names.Where(name => !there.Contains(name)))
        {
            yield return (name, new SavedElement(default, default, apply([], changes.ByName[name])));
        }
    }

    private static void Config(JsonObject entry, JsonElement change)
    {
        var (listeners, services) = (entry[JournalFormat.ListenersField], entry[JournalFormat.ServicesField]);
        Set(entry, change.GetProperty(JournalFormat.EntryField));
        (entry[JournalFormat.ListenersField], entry[JournalFormat.ServicesField]) = (listeners, services);
        foreach (var field in change.EnumerateObject().Where(field => !field.NameEquals(JournalFormat.EntryField)))
        {
            Set(entry, field.Name, field.Value);
        }
    }

    private static JsonObject Listener(JsonObject entry, List<JsonElement> changes)
    {
        foreach (var change in changes)
        {
            if (change.TryGetProperty(JournalFormat.EntryField, out var fields))
            {
                var history = entry[HistoryField];
                entry.Remove(HistoryField);
                Set(entry, fields);
                if (history is not null)
                {
                    entry[HistoryField] = history;
                }
            }

            AddHistory(Object(entry, HistoryField), change);
        }

        return entry;
    }

    /// <summary>Adds the entries that the history does not have. The reader drops what is too much.</summary>
    private static void AddHistory(JsonObject history, JsonElement change)
    {
        var has = (long)history[JournalFormat.CountField]!;
        var (beginning, recent) = (history["beginning"]!.AsArray(), history["recent"]!.AsArray());
        foreach (var added in change.GetProperty(JournalFormat.AddedField).EnumerateArray())
        {
            var number = added.GetProperty("seq").GetInt64();
            if (number > has)
            {
                (number <= HandleHistory.KeptBeginning && recent.Count == 0 ? beginning : recent).Add(ManifestFormat.Node(added));
            }
        }

        history[JournalFormat.CreatedField] = change.GetProperty(JournalFormat.CreatedField).GetInt64();
        history[JournalFormat.CountField] = Math.Max(has, change.GetProperty(JournalFormat.CountField).GetInt64());
    }

    private static JsonObject Service(JsonObject entry, List<JsonElement> changes)
    {
        foreach (var change in changes)
        {
            Set(entry, change.GetProperty(JournalFormat.EntryField));
            var state = Object(entry, StateField);
            var specs = Object(state, "specs");
            foreach (var (generation, spec) in specs.ToArray())
            {
                // In a line, null is the specification that the service has in the same line.
                specs[generation] = spec ?? state["spec"]!.DeepClone();
            }
        }

        return entry;
    }

    private static JsonObject Object(JsonObject entry, string name) =>
        entry[name] as JsonObject ?? throw new FormatException($"an entry of the journal has no \"{name}\"");

    /// <summary>Sets the fields that a line has. The fields of <c>state</c> are set one by one.</summary>
    private static void Set(JsonObject entry, JsonElement fields)
    {
        foreach (var field in fields.EnumerateObject())
        {
            Set(entry, field.Name, field.Value);
        }
    }

    private static void Set(JsonObject entry, string name, JsonElement value)
    {
        if (entry[name] is JsonObject state && name == StateField)
        {
            Set(state, value);
        }
        else if (entry[name] is JsonArray list && value.ValueKind == JsonValueKind.Object)
        {
            SetElements(list, value);
        }
        else
        {
            entry[name] = ManifestFormat.Node(value);
        }
    }

    private static void SetElements(JsonArray list, JsonElement change)
    {
        var gone = change.GetProperty(JournalFormat.GoneField).EnumerateArray().Select(id => id.ToString())
            .ToHashSet(StringComparer.Ordinal);
        var set = change.GetProperty(JournalFormat.SetField).EnumerateArray().ToDictionary(IdOf);
        for (var i = list.Count - 1; i >= 0; i--)
        {
            var id = (list[i]!["id"] ?? list[i]!["index"] ?? list[i]![JournalFormat.NameField])!.ToString();
            if (gone.Contains(id))
            {
                list.RemoveAt(i);
            }
            else if (set.Remove(id, out var now))
            {
                list[i] = ManifestFormat.Node(now);
            }
        }

        foreach (var element in change.GetProperty(JournalFormat.SetField).EnumerateArray())
        {
            if (set.ContainsKey(IdOf(element)))
            {
                list.Add(ManifestFormat.Node(element));
            }
        }
    }

    private static string IdOf(JsonElement element) =>
        (element.TryGetProperty("id", out var id) || element.TryGetProperty("index", out id) ? id
            : element.GetProperty(JournalFormat.NameField)).ToString();

    /// <summary>The changes of listeners, or of services.</summary>
    private sealed class Changes
    {
        /// <summary>The names of what has changed, in the order of the first change: what is new has that order.</summary>
        public List<string> Names { get; } = [];

        /// <summary>The changes by name, oldest first.</summary>
        public Dictionary<string, List<JsonElement>> ByName { get; } = new(StringComparer.Ordinal);

        /// <summary>The names of what was removed. What came later under such a name is new.</summary>
        public HashSet<string> Removed { get; } = new(StringComparer.Ordinal);

        public void Take(JsonElement removed, JsonElement changes)
        {
            foreach (var element in removed.EnumerateArray())
            {
                var name = element.GetString()!;
                Removed.Add(name);
                if (ByName.Remove(name))
                {
                    Names.Remove(name);
                }
            }

            foreach (var change in changes.EnumerateArray())
            {
                var name = change.GetProperty(JournalFormat.NameField).GetString()!;
                if (!ByName.TryGetValue(name, out var of))
                {
                    Names.Add(name);
                    ByName.Add(name, of = []);
                }

                of.Add(change);
            }
        }
    }
}
