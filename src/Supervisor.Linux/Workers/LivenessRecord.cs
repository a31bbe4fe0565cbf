using System.Globalization;
using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Whether any worker of a service has passed a condition of <c>liveness</c>. A condition that none has passed is more likely wrong than
/// all workers, so the replacements for it back off as restarts do. Lives on the loop.
/// </summary>
internal sealed class LivenessRecord(Readiness condition, DateTimeOffset since)
{
    private bool _hasPassed;
    private int _replaced;
    private TimeSpan _notBefore;

    /// <summary>The condition.</summary>
    public Readiness Condition => condition;

    /// <summary>That no worker has passed it, with the last result; null if one has, or none has failed.</summary>
    public string? NeverPassed { get; private set; }

    /// <summary>A worker has passed it.</summary>
    public void Pass()
    {
        _hasPassed = true;
        NeverPassed = null;
    }

    /// <summary>A worker has failed it. Returns whether that is a cause to replace the worker now.</summary>
    /// <param name="text">What the probes found.</param>
    /// <param name="canWait">Whether the worker may be replaced later: it answers.</param>
    /// <param name="restart">The back-off.</param>
    /// <param name="now">The loop's time.</param>
    /// <param name="isNew">Whether no worker has failed it before, and none has passed it.</param>
    public bool Fail(string text, bool canWait, RestartSpec restart, TimeSpan now, out bool isNew)
    {
        isNew = false;
        if (_hasPassed)
        {
            return true;
        }

        isNew = NeverPassed is null;
        var at = since.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        NeverPassed = $"liveness.probe: no worker has passed it since {at}, the last one {text}; check the condition: it may be wrong";
        if (canWait && now < _notBefore)
        {
            return false;
        }

        _notBefore = now + RestartDecision.Backoff(restart, ++_replaced);
        return true;
    }
}
