using Supervisor.Config;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Tests.Fakes;

namespace Supervisor.Daemon.Tests.Continuity;

/// <summary>Who gets a runtime directory, and what the others are told.</summary>
public sealed class InstanceClaimTests : IDisposable
{
    private readonly TemporaryRuntime _runtime = new();
    private readonly FakeLog _log = new();

    [Fact]
    public void A_free_directory_is_claimed()
    {
        using var claim = Claim(new ListendConfig(), isForced: false, out var error);
        Assert.NotNull(claim);
        Assert.Null(error);
    }

    [Fact]
    public void A_directory_is_claimed_once()
    {
        using var held = _runtime.Lock();
        Assert.Null(Claim(new ListendConfig(), isForced: false, out var error));
        Assert.Contains($"pid {Environment.ProcessId}", error, StringComparison.Ordinal);
        Assert.Contains("--take-over", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_configuration_of_the_other_daemon_is_named()
    {
        using var held = _runtime.Lock();
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest with { Config = _runtime.Config with { File = "/etc/other.toml" } }));
        Assert.Null(Claim(new ListendConfig(), isForced: false, out var error));
        Assert.Contains("/etc/other.toml", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_in_the_own_configuration_forbid_a_take_over()
    {
        using var held = _runtime.Lock();
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest));
        Assert.Null(Claim(null, isForced: false, out var error));
        Assert.Contains("--take-over", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_daemon_that_cannot_be_reached_keeps_its_directory()
    {
        using var held = _runtime.Lock();
        _runtime.Leave(ManifestFormat.Write(_runtime.Manifest));
        Assert.Null(Claim(new ListendConfig(), isForced: true, out var error));
        Assert.Contains("refuses the take-over", error, StringComparison.Ordinal);
    }

    public void Dispose() => _runtime.Dispose();

    private InstanceLock? Claim(ListendConfig? config, bool isForced, out string? error)
    {
        var claim = InstanceClaim.TryClaim(_runtime.Paths, config, null, isForced, _log.Log, out var previous, out error);
        Assert.Null(previous);
        return claim;
    }
}
