using System.Globalization;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Compares owner and mode of the file of a UNIX socket with the configuration, because they decide who may connect, and restores
/// them. What is not configured, and what the kernel has refused, is not compared.
/// </summary>
internal static class SocketFileAccess
{
    /// <summary>The differences of a listener's own file; the owner first, because chown(2) may clear bits of the mode.</summary>
    public static IEnumerable<SocketChange> Differences(ListenerHandle handle, Files.Status status)
    {
        if (handle.PathIdentity != (status.Device, status.Inode))
        {
            yield break;
        }

        var unix = handle.Spec.Unix;
        if (Owner(handle) is var (uid, gid) && ((uid ?? status.Uid) != status.Uid || (gid ?? status.Gid) != status.Gid)
            && OwnRights.MayChangeOwners)
        {
            yield return new SocketChange(
                SocketChange.Owner, SocketFileSteps.OwnerCall, null, Text(uid ?? status.Uid, gid ?? status.Gid),
                Text(status.Uid, status.Gid));
        }

        if (unix.Mode is { } mode && mode != status.Permissions && !IsRefused(handle, SocketChange.Mode))
        {
            yield return new SocketChange(
                SocketChange.Mode, "chmod", null, SocketFileSteps.Octal(mode), SocketFileSteps.Octal(status.Permissions));
        }
    }

    /// <summary>Restores what a change says, if the file is still the listener's own.</summary>
    public static SystemCallError? Restore(ListenerHandle handle, SocketChange change)
    {
        using var file = SocketFileSteps.PinOwn(handle, handle.Spec.Address.Path!, out var error);
        if (file is null)
        {
            return error;
        }

        return change.Name == SocketChange.Mode ? Files.SetPinnedMode(file, handle.Spec.Unix.Mode!.Value)
            : Owner(handle) is var (uid, gid) ? Files.SetPinnedOwner(file, uid ?? uint.MaxValue, gid ?? uint.MaxValue)
            : null;
    }

    /// <summary>The configured user and group; null if none is configured or the kernel has refused it.</summary>
    private static (uint? Uid, uint? Gid)? Owner(ListenerHandle handle)
    {
        var unix = handle.Spec.Unix;
        if ((unix.User ?? unix.Group) is null || IsRefused(handle, SocketChange.Owner))
        {
            return null;
        }

        return (
            unix.User is { } user ? UserDirectory.Host.FindUser(user, out _)?.Uid : null,
            unix.Group is { } group ? UserDirectory.Host.FindGroup(group, out _) : null);
    }

    private static bool IsRefused(ListenerHandle handle, string name) => handle.RefusedOfFile.Any(entry => entry.Option == name);

    private static OptionValue Text(uint uid, uint gid) => OptionValue.Of(string.Create(CultureInfo.InvariantCulture, $"{uid}:{gid}"));
}
