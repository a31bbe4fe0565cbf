using System.Globalization;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Handoff;

/// <summary>The variables of sd_listen_fds(3), especially invalid ones. This process's descriptor 3 stays open.</summary>
public class InheritedDescriptorsTests : KernelTest
{
    public override void Dispose()
    {
        Set(null, null, null);
        base.Dispose();
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("4097")]
    [InlineData("99999999999")]
    [InlineData(" 1")]
    public void An_invalid_LISTEN_FDS_adopts_nothing(string count)
    {
        Set(count, Processes.CurrentPid.ToString(CultureInfo.InvariantCulture), null);
        Assert.Empty(InheritedDescriptors.FromEnvironment(out var complaint).Remaining);
        Assert.Contains("LISTEN_FDS", complaint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1")]
    [InlineData("")]
    public void A_LISTEN_PID_of_another_process_adopts_nothing(string? pid)
    {
        Set("1", pid, "web");
        Assert.Empty(InheritedDescriptors.FromEnvironment(out var complaint).Remaining);
        Assert.Contains("LISTEN_FDS", complaint, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_LISTEN_variables_nothing_is_reported()
    {
        Set(null, null, null);
        Assert.Empty(InheritedDescriptors.FromEnvironment(out var complaint).Remaining);
        Assert.Null(complaint);
        Set("0", Processes.CurrentPid.ToString(CultureInfo.InvariantCulture), null);
        Assert.Empty(InheritedDescriptors.FromEnvironment(out complaint).Remaining);
        Assert.Null(complaint);
    }

    [Theory]
    [InlineData("web", "web")]
    [InlineData("", "unknown")]
    [InlineData(null, "unknown")]
    [InlineData(":x", "unknown")]
    public void Descriptors_are_adopted_by_name_with_close_on_exec(string? names, string name)
    {
        Set("1", Processes.CurrentPid.ToString(CultureInfo.InvariantCulture), names);
        var inherited = InheritedDescriptors.FromEnvironment(out var complaint);
        Assert.Null(complaint);
        Assert.Equal(name, Assert.Single(inherited.Remaining).Name);
        var descriptor = inherited.Take(0);
        Assert.Equal(3, descriptor.Number);
        Assert.Equal(1, Libc.GetFlags(descriptor, ofDescriptor: true));
        descriptor.SetHandleAsInvalid();
        Assert.Empty(inherited.Remaining);
    }

    private static void Set(string? count, string? pid, string? names)
    {
        Environment.SetEnvironmentVariable("LISTEN_FDS", count);
        Environment.SetEnvironmentVariable("LISTEN_PID", pid);
        Environment.SetEnvironmentVariable("LISTEN_FDNAMES", names);
    }
}
