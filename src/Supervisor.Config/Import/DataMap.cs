using System.Collections;

namespace Supervisor.Config.Import;

/// <summary>The members of an object, in their order. A name that is set again keeps its place and gets the new value.</summary>
internal sealed class DataMap : IEnumerable<KeyValuePair<string, DataNode>>
{
    private readonly OrderedDictionary<string, DataNode> _members = new(StringComparer.Ordinal);

    /// <summary>The number of members.</summary>
    public int Count => _members.Count;

    public DataNode? this[string name] => _members.GetValueOrDefault(name);

    public void Set(string name, DataNode value) => _members[name] = value;

    /// <summary>Sets the members of another object.</summary>
    public void SetAll(DataMap? other)
    {
        foreach (var (name, value) in other ?? [])
        {
            Set(name, value);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, DataNode>> GetEnumerator() => _members.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
