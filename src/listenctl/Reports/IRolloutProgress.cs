using Supervisor.Control;

namespace Supervisor.Listenctl.Reports;

/// <summary>Shows a roll-out while it runs.</summary>
internal interface IRolloutProgress
{
    /// <summary>
    /// Runs <paramref name="watch"/>, which passes each change to its argument; restores the screen also after an exception.
    /// </summary>
    void Run(Action<Action<ChangeDocument>> watch);
}
