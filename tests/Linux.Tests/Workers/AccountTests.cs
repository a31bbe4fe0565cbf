using Supervisor.Core.Services;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>Users and groups by name and number.</summary>
public class AccountTests : KernelTest
{
    [Fact]
    public void A_user_is_found_by_name_and_number()
    {
        Assert.Equal((0u, 0u, "root"), Three(UserDatabase.FindUser("root")));
        Assert.Equal((0u, 0u, "root"), Three(UserDatabase.FindUser("0")));
        Assert.Equal((65534u, 65534u, "nobody"), Three(UserDatabase.FindUser("nobody")));
        Assert.Equal((54321u, 54321u, "54321"), Three(UserDatabase.FindUser("54321")));
        Assert.Equal(65534u, UserDatabase.FindGroup("nogroup"));
        Assert.Equal(54321u, UserDatabase.FindGroup("54321"));
        Assert.Null(UserDatabase.FindUser("no-such-user"));
        Assert.Null(UserDatabase.FindGroup("no-such-group"));
    }

    /// <summary>(uid_t)-1 means "leave unchanged": if it were accepted as a user, the worker would run as root.</summary>
    [Theory]
    [InlineData("4294967295")]
    [InlineData("-1")]
    [InlineData(" 0")]
    [InlineData("+0")]
    [InlineData("")]
    public void An_invalid_id_has_no_user(string text)
    {
        Assert.Null(UserDatabase.FindUser(text));
        Assert.Null(UserDatabase.FindGroup(text));
        Assert.False(WorkerIdentity.TryLookUp(new ServiceSpec { Name = "a", Command = ["/bin/true"], User = text }, out _, out var error));
        Assert.Contains("user", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_group_without_a_user_removes_supplementary_groups()
    {
        Assert.True(
            WorkerIdentity.TryLookUp(new ServiceSpec { Name = "a", Command = ["/bin/true"], Group = "nogroup" }, out var identity, out _));
        Assert.Equal((null, 65534u), (identity.Uid, identity.Gid));
        Assert.Empty(identity.Groups!);
    }

    private static (uint, uint, string)? Three((uint Uid, uint Gid, string Name, string, string, bool)? user) =>
        user is { } found ? (found.Uid, found.Gid, found.Name) : null;
}
