namespace Supervisor.Config.Import;

/// <summary>
/// Values of [Socket] with which systemd sets nothing: src/core/socket.c, socket_apply_socket_options() and mq_address_create().
/// </summary>
internal static class SystemdSocketDefaults
{
    public static readonly Reason Unset = Reason.NotNeeded("with this value systemd leaves it as the kernel has it");

    /// <summary>Whether the setting has such a value.</summary>
    public static bool Has(SourceSetting setting) => setting.Key switch
    {
        "Mark" or "Priority" or "IPTTL" or "IPTOS" => SystemdValues.Integer(setting.Value) < 0,
        "ReceiveBuffer" or "SendBuffer" or "PipeSize" or "MessageQueueMessageSize" => SystemdValues.Size(setting.Value) == 0,
        "KeepAliveProbes" or "MessageQueueMaxMessages" => SystemdValues.Integer(setting.Value) == 0,
        "KeepAliveTimeSec" or "KeepAliveIntervalSec" or "DeferAcceptSec" =>
            SystemdValues.Span(setting.Value) is { } span && span < TimeSpan.FromSeconds(1),
        _ => false,
    };
}
