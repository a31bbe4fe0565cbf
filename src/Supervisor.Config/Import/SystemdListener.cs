using Supervisor.Config.Settings;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Import;

/// <summary>An address of a .socket unit and the section that is written for it.</summary>
/// <param name="Section">The section.</param>
/// <param name="Address">The address; null if listend rejects it, which the draft reports.</param>
internal sealed record SystemdListener(DraftSection Section, ListenAddress? Address)
{
    /// <summary>Whether a setting can apply to the address.</summary>
    public bool CanHave(string key) => Address is null
        || ListenerSettings.Table.Settings.First(setting => setting.Key == key).Refusal?.Invoke(
            new ListenerSpec { Name = Section.Name, Address = Address }) is null;
}
