using Supervisor.Config.Diagnostics;
using Supervisor.Config.Toml;

namespace Supervisor.Config;

/// <summary>
/// The positions of a configuration's settings. Errors that are found after parsing, such as an unknown user, have a position
/// too. It references the trees of the files: do not keep it.
/// </summary>
public sealed class ConfigPlaces
{
    private readonly Lazy<IReadOnlyList<TomlNode>> _documents;

    /// <summary>Without a file: every diagnostic is about the whole configuration.</summary>
    public ConfigPlaces()
        : this([])
    {
    }

    internal ConfigPlaces(IReadOnlyList<TomlNode> documents) => _documents = new(documents);

    /// <summary>The files are parsed when the first position is needed.</summary>
    internal ConfigPlaces(Func<IReadOnlyList<TomlNode>> documents) => _documents = new(documents);

    private IReadOnlyList<TomlNode> Documents => _documents.Value;

    /// <summary>A diagnostic about a setting, or about its section if the setting is missing; line 0 if both are missing.</summary>
    /// <param name="section">daemon, listener or service.</param>
    /// <param name="name">The listener's or service's name; null for daemon.</param>
    /// <param name="key">The key within the section, such as <c>unix.user</c>; empty for the section itself.</param>
    /// <param name="message">What is wrong, with the value in question.</param>
    /// <param name="remedy">What to do instead.</param>
    /// <param name="element">Of an array: the index of the element, from 0.</param>
    public ConfigDiagnostic Diagnostic(string section, string? name, string key, string message, string? remedy, int? element = null)
    {
        string[] sectionPath = name is null ? [section] : [section, name];
        string[] keys = key.Length == 0 ? [] : key.Split('.');
        TomlNode? nearest = null;
        var depth = -1;
        foreach (var document in Documents)
        {
            if (Follow(document, sectionPath, out var found) < sectionPath.Length)
            {
                continue;
            }

            var reached = Follow(found, keys, out var node);
            if (reached > depth)
            {
                (nearest, depth) = (node, reached);
            }
        }

        if (depth == keys.Length && element is { } index && nearest is { Kind: TomlNodeKind.Array } array && index < array.Items.Count)
        {
            nearest = array.Items[index];
        }

        var setting = nearest?.SettingName ?? string.Join('.', [.. sectionPath, .. keys]);
        var at = nearest?.Position ?? new SourcePosition(Documents.Count == 0 ? "configuration" : Documents[0].Position.File, 0, 0);
        return new ConfigDiagnostic(at.File, at.Line, at.Line == 0 ? 0 : at.Column, setting, message, remedy);
    }

    /// <summary>A diagnostic about the configuration as a whole: its position is the beginning of the main file.</summary>
    internal ConfigDiagnostic OfAll(string message, string remedy)
    {
        var at = Documents.Count == 0 ? new SourcePosition("configuration", 0, 0) : Documents[0].Position;
        return new ConfigDiagnostic(at.File, at.Line, at.Column, null, message, remedy);
    }

    /// <summary>These diagnostics in the order of the files, then by line and column; diagnostics of other files come first.</summary>
    public IEnumerable<ConfigDiagnostic> Sort(IReadOnlyCollection<ConfigDiagnostic> diagnostics)
    {
        if (diagnostics.Count == 0)
        {
            return [];
        }

        var files = Documents.Select(document => document.Position.File).ToList();
        return diagnostics.OrderBy(e => files.IndexOf(e.File)).ThenBy(e => e.Line).ThenBy(e => e.Column);
    }

    /// <summary>Follows the keys as far as they exist, and returns their number.</summary>
    private static int Follow(TomlNode from, string[] keys, out TomlNode reached)
    {
        reached = from;
        for (var i = 0; i < keys.Length; i++)
        {
            if (reached.Kind != TomlNodeKind.Table || reached.Find(keys[i]) is not { } entry)
            {
                return i;
            }

            reached = entry.Value;
        }

        return keys.Length;
    }
}
