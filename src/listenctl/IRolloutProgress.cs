using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary>How a roll-out is shown while it runs.</summary>
internal interface IRolloutProgress
{
    /// <summary>Runs <paramref name="watch"/>, which says each change; leaves the screen as it should be, whatever is thrown.</summary>
    void Run(Action<Action<ChangeDocument>> watch);
}
