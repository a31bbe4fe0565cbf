namespace Supervisor.Config.Import;

/// <summary>The names that a script sees at one place.</summary>
/// <param name="outer">The scope around it; null for the outermost.</param>
internal sealed class ScriptScope(ScriptScope? outer)
{
    private readonly Dictionary<string, DataNode> _names = new(StringComparer.Ordinal);

    public void Set(string name, DataNode value) => _names[name] = value;

    /// <summary>The value of a name; null for a name that is not defined.</summary>
    public DataNode? Find(string name) => _names.GetValueOrDefault(name) ?? outer?.Find(name);
}
