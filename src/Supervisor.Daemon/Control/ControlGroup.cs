using Serilog;
using Supervisor.Core;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The group of the control socket's file, whose members may connect and read: <c>daemon.control_group</c>, or the daemon's own
/// group. On the loop, except <see cref="Id"/>.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="path">The file.</param>
/// <param name="log">The log.</param>
internal sealed class ControlGroup(EventLoop loop, string path, ILogger log)
{
    private volatile uint _id = Files.GetStatus(path, out var file) is null ? file.Gid : Processes.EffectiveGid;
    private string? _name;

    /// <summary>The group's number. Any thread.</summary>
    public uint Id => _id;

    /// <summary>Changes the group. Until the name is looked up, on another thread, and if that fails, the former group stays.</summary>
    /// <param name="name">Name or number; null is the daemon's own group.</param>
    public void Set(string? name)
    {
        _name = name;
        if (name is null)
        {
            Set(Processes.EffectiveGid, "the daemon's own group");
            return;
        }

        var account = new AccountName(false, name);
        UserDirectory.Host.Refresh([account]).ContinueWith(_ => loop.Post(() => Take(account)), TaskScheduler.Default);
    }

    /// <summary>Gives the group to the file, which is new.</summary>
    public void Repeat() => Set(_id, _name ?? "the daemon's own group");

    private void Take(AccountName account)
    {
        if (account.Name != _name)
        {
            return;
        }

        if (UserDirectory.Host.FindGroup(account.Name, out var error) is { } id)
        {
            Set(id, account.Name);
        }
        else
        {
            Refuse(account.Name, error!.ToString());
        }
    }

    private void Set(uint id, string name)
    {
        using var file = Files.Pin(path, out var error);
        if (file is null || Files.GetStatus(file, out var status) is not null)
        {
            Refuse(name, error.ToString());
            return;
        }

        if (status.Gid != id && Files.SetPinnedOwner(file, uint.MaxValue, id) is { } refused)
        {
            Refuse(name, $"{refused}; the daemon's user has to be a member of the group, or to have CAP_CHOWN");
            return;
        }

        _id = id;
    }

    private void Refuse(string name, string reason) => log.Kind(MessageIds.ControlGroupRefused).Error(
        "control socket {Path}: its group stays as it is, not {Group}: {Reason}", path, name, reason);
}
