namespace Supervisor.Core.Services;

/// <summary>How a service differs from its configuration because a client has changed it. A reload keeps these changes.</summary>
public sealed record ManualChanges
{
    /// <summary>The stop; null if no client has stopped the service since its last start.</summary>
    public ManualChange? Stop { get; init; }

    /// <summary>The last change of the number of workers; null if that number is the configured one.</summary>
    public ManualChange? Scale { get; init; }
}

/// <summary>A change by a client.</summary>
/// <param name="By">Who requested it.</param>
/// <param name="At">When.</param>
public sealed record ManualChange(Requester By, DateTimeOffset At);
