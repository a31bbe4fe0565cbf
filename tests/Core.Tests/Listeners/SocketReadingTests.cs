using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Tests.Listeners;

public class SocketReadingTests
{
    private static readonly SocketReading Fresh = new(
        [.. SocketOptions.Shown.Select(_ => (OptionValue?)OptionValue.Of(1))], Backlog: 4096, IsNonBlocking: false, OptionValue.Of(
            0), IsFilterLocked: false, IsShutDown: false);

    [Fact]
    public void An_unchanged_socket_has_no_drift() =>
        Assert.Empty((Fresh with { Options = [.. Fresh.Options] }).ChangesSince(Fresh));

    [Fact]
    public void Each_drift_is_named_with_both_values()
    {
        var now = Fresh.With(SocketOptions.NoDelay, OptionValue.Of(0)) with
        {
            Backlog = 511,
            IsNonBlocking = true,
            Filter = OptionValue.Of(
            3),
            IsFilterLocked = true
        };
        Assert.Equal(
            [
                new SocketChange("backlog", "listen", null, OptionValue.Of(4096), OptionValue.Of(511)),
                new SocketChange("O_NONBLOCK", "fcntl", null, OptionValue.Of(0), OptionValue.Of(1)),
                new SocketChange("TCP_NODELAY", "setsockopt", SocketOptions.NoDelay, OptionValue.Of(1), OptionValue.Of(0)),
                new SocketChange("SO_ATTACH_FILTER", "setsockopt", null, OptionValue.Of(0), OptionValue.Of(3)),
                new SocketChange("SO_LOCK_FILTER", "setsockopt", null, OptionValue.Of(0), OptionValue.Of(1)),
            ],
            now.ChangesSince(Fresh));
    }

    [Fact]
    public void A_shutdown_hides_every_other_drift() =>
        Assert.Equal(["shutdown"], (Fresh with { IsShutDown = true, Backlog = 0 }).ChangesSince(Fresh).Select(change => change.Name));

    public static TheoryData<string, bool, ListenerKind, bool> Enforced() => new()
    {
        { "backlog", false, ListenerKind.Tcp, true },
        { "backlog", false, ListenerKind.UnixStream, true },
        { "SO_ATTACH_FILTER", false, ListenerKind.Tcp, true },
        { "SO_ATTACH_FILTER", false, ListenerKind.Udp, false },
        { "SO_LOCK_FILTER", false, ListenerKind.Tcp, false },
        { "TCP_NODELAY", true, ListenerKind.Tcp, true },
        { "TCP_NODELAY", false, ListenerKind.Tcp, false },
        { "SO_RCVBUF", true, ListenerKind.Udp, true },
        { "SO_RCVBUF", false, ListenerKind.Tcp, false },
    };

    [Theory]
    [MemberData(nameof(Enforced))]
    public void Requested_options_are_restored(
        string name,
        bool isConfigured,
        ListenerKind kind,
        bool isPutBack)
    {
        var change = new SocketChange(
            name,
            "x",
            SocketOptions.All.FirstOrDefault(option => option.Name == name),
            OptionValue.Of(0),
            OptionValue.Of(1));
        Assert.Equal(isPutBack, change.WhyNotRepaired(kind, isConfigured) is null);
    }
}
