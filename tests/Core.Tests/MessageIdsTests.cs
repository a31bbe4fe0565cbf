using System.Reflection;

namespace Supervisor.Core.Tests;

public class MessageIdsTests
{
    [Fact]
    public void Each_kind_has_its_own_id()
    {
        var ids = typeof(MessageIds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!).ToArray();
        Assert.All(ids, id => Assert.Matches("^[0-9a-f]{32}$", id));
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }
}
