using System.Reflection;
using Supervisor.Core;

namespace Supervisor.Architecture;

/// <summary>The journal's MESSAGE_IDs: unique, and listed on their page.</summary>
public class MessageIdsTests
{
    private static readonly (string Name, string Id)[] Kinds =
    [
        .. typeof(MessageIds).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (field.Name, (string)field.GetRawConstantValue()!)),
    ];

    [Fact]
    public void Each_message_has_its_own_id()
    {
        Assert.All(Kinds, kind => Assert.Matches("^[0-9a-f]{32}$", kind.Id));
        Assert.Equal(Kinds.Length, Kinds.DistinctBy(kind => kind.Id).Count());
    }

    [Fact]
    public void Each_message_id_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root(), "docs/reference/log-messages.md"));
        Assert.Equal([], Kinds.Where(kind => !page.Contains($"| `{kind.Id}` | {kind.Name} |", StringComparison.Ordinal)));
    }
}
