using System.Text;
using System.Text.RegularExpressions;

namespace Supervisor.Config.Import;

/// <summary>
/// Circus's references in a watcher's settings, <c>$(circus.NAME)</c> and <c>((circus.NAME))</c>, and <c>$NAME</c> in its [env]. As
/// in Circus, a reference to something unknown stays as it is written.
/// </summary>
/// <param name="environment">The variables of the watcher, by name.</param>
internal sealed partial class CircusReferences(IReadOnlyDictionary<string, SourceSetting> environment)
{
    private const int MaxDepth = 8;

    /// <summary>What a text with references consists of.</summary>
    public interface IPieces
    {
        /// <summary>Text.</summary>
        void Literal(string text);

        /// <summary>A variable of the daemon's environment.</summary>
        void Variable(string name);

        /// <summary>The number of the worker, from 1.</summary>
        void Worker();

        /// <summary>The descriptor of a socket. False if the watcher does not have it.</summary>
        bool Socket(string name);
    }

    /// <summary>Splits a setting into its pieces.</summary>
    public void Read(string text, IPieces pieces) => Read(text, pieces, null, 0);

    /// <summary>Splits the value of a variable of [env] into its pieces.</summary>
    public void ReadVariable(string name, IPieces pieces) => Read(environment[name].Value, pieces, name, 0);

    /// <summary>A setting other than a command; null if its value is known only where it runs.</summary>
    public string? Expand(string text)
    {
        var expanded = new Expanded();
        Read(text, expanded);
        return expanded.Value;
    }

    /// <summary>A variable of [env]; null if its value is known only where it runs.</summary>
    public string? Variable(string name)
    {
        var expanded = new Expanded();
        ReadVariable(name, expanded);
        return expanded.Value;
    }

    private void Read(string text, IPieces pieces, string? variable, int depth)
    {
        var at = 0;
        foreach (var match in Reference().Matches(text).Cast<Match>())
        {
            pieces.Literal(text[at..match.Index]);
            at = match.Index + match.Length;
            if (!(match.Groups["variable"] is { Success: true, Value: var name }
                ? variable is not null && ReadShellVariable(name, pieces, variable, depth)
                : ReadReference(match.Groups["name"].Value, pieces, depth)))
            {
                pieces.Literal(match.Value);
            }
        }

        pieces.Literal(text[at..]);
    }

    private bool ReadReference(string name, IPieces pieces, int depth)
    {
        if (name.Equals("wid", StringComparison.OrdinalIgnoreCase))
        {
            pieces.Worker();
            return true;
        }

        if (name.StartsWith("sockets.", StringComparison.OrdinalIgnoreCase))
        {
            return pieces.Socket(name["sockets.".Length..].ToLowerInvariant());
        }

        // Circus compares names without case.
        var key = name.StartsWith("env.", StringComparison.OrdinalIgnoreCase)
            ? environment.Keys.FirstOrDefault(known => known.Equals(name["env.".Length..], StringComparison.OrdinalIgnoreCase))
            : null;
        if (key is null || depth == MaxDepth)
        {
            return false;
        }

        Read(environment[key].Value, pieces, key, depth + 1);
        return true;
    }

    // A variable that names itself, such as PATH = $PATH:/x, means the daemon's.
    private bool ReadShellVariable(string name, IPieces pieces, string variable, int depth)
    {
        if (name == variable || depth == MaxDepth || !environment.TryGetValue(name, out var setting))
        {
            pieces.Variable(name);
        }
        else
        {
            Read(setting.Value, pieces, name, depth + 1);
        }

        return true;
    }

    [GeneratedRegex(
        @"\$\(circus\.(?<name>[\w.-]+)\)|\(\(circus\.(?<name>[\w.-]+)\)\)|\$(?<variable>[A-Za-z_]\w*)|\$\{(?<variable>[A-Za-z_]\w*)\}",
        RegexOptions.IgnoreCase)]
    private static partial Regex Reference();

    private sealed class Expanded : IPieces
    {
        private readonly StringBuilder _text = new();
        private bool _isKnown = true;

        public string? Value => _isKnown ? _text.ToString() : null;

        public void Literal(string text) => _text.Append(text);

        public void Variable(string name) => _isKnown = false;

        public void Worker() => _isKnown = false;

        public bool Socket(string name)
        {
            _isKnown = false;
            return true;
        }
    }
}
