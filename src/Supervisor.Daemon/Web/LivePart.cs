namespace Supervisor.Daemon.Web;

/// <summary>What a part of the page is about.</summary>
internal enum LiveKind
{
    /// <summary>The daemon.</summary>
    Daemon,

    /// <summary>A service.</summary>
    Service,

    /// <summary>A listener.</summary>
    Listener,

    /// <summary>The findings.</summary>
    Diagnosis,
}

/// <summary>A part of what the page shows, which is sent when it changes.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Name">The service or the listener; else empty.</param>
/// <param name="Json">Its document.</param>
internal sealed record LivePart(LiveKind Kind, string Name, byte[] Json);
