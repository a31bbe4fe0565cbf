using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Supervisor.Daemon.Control;

/// <summary>How an <see cref="OnDemandServer"/> serves its listener.</summary>
/// <param name="EndPoint">The listener's address.</param>
/// <param name="IsLocal">Whether clients are local, so that the kernel says who they are; otherwise they come by TCP.</param>
/// <param name="Places">Makes the bounds of open connections.</param>
/// <param name="MostBusy">The limit of concurrent requests; further connections are closed at once.</param>
/// <param name="Limits">Sets Kestrel's limits.</param>
/// <param name="Map">Adds the resources.</param>
internal sealed record HttpTerms(
    EndPoint EndPoint, bool IsLocal, Func<ConnectionPlaces> Places, int MostBusy, Action<KestrelServerLimits> Limits,
    Action<WebApplication> Map)
{
    /// <summary>Reports, on another thread than the loop's, that Kestrel could not start: the next connection tries again.</summary>
    public required Action<Exception> Failed { get; init; }

    /// <summary>Called on the loop when no client has been connected for <see cref="OnDemandServer.IdleAfter"/>.</summary>
    public required Action BecameIdle { get; init; }
}
