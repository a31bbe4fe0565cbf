using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Owner and mode of the file that bind() made for a UNIX socket, and its removal. Whoever may write to the directory can have
/// replaced the file by another one or by a link, so each call acts only on a file that is still the one of bind().
/// </summary>
internal static class SocketFileSteps
{
    /// <summary>The call that sets the owner, as histories and failures name it.</summary>
    public const string OwnerCall = "fchownat";

    /// <summary>fchmod() of the socket before bind(): the file gets this mode less the umask.</summary>
    public static void SetSocketMode(SocketTarget target, SocketModeStep step) =>
        target.History.AddSetting(step.Phase, "fchmod", "mode", Octal(step.Mode), Files.SetMode(target.Descriptor, step.Mode));

    /// <summary>
    /// Sets the file's owner. A user or group that <see cref="UserDirectory"/> does not have is a failure: the owner decides who may
    /// connect. The caller looks up the names before, off the loop.
    /// </summary>
    /// <param name="target">The socket.</param>
    /// <param name="step">The owner asked for.</param>
    /// <param name="defaultUid">The owner if no user is asked for; null does not change it.</param>
    /// <param name="defaultGid">The group if none is asked for; null does not change it.</param>
    public static SystemCallFailure? SetOwner(SocketTarget target, PathOwnerStep step, uint? defaultUid = null, uint? defaultGid = null)
    {
        AccountError? unknown = null;
        var uid = step.User is null ? defaultUid : UserDirectory.Host.FindUser(step.User, out unknown)?.Uid;
        var isUser = unknown is not null;
        var gid = step.Group is null || isUser ? defaultGid : UserDirectory.Host.FindGroup(step.Group, out unknown);
        var value = OptionValue.Of(string.Create(
            CultureInfo.InvariantCulture, $"{step.User ?? $"{defaultUid}"}:{step.Group ?? $"{defaultGid}"}"));
        if (unknown is not null)
        {
            var why = $"{new AccountName(isUser, (isUser ? step.User : step.Group)!)}: {unknown.Reason}";
            target.History.Add(step.Phase, OwnerCall, "owner", value, errno: "EINVAL", verdict: Verdict.Refused, note: why);
            return new SystemCallError(OwnerCall, EINVAL).With($"{step.Path}, {value}: {why}");
        }

        using var file = PinOwn(target.Handle, step.Path, out var pinned);
        var error = file is null ? pinned : Files.SetPinnedOwner(file, uid ?? uint.MaxValue, gid ?? uint.MaxValue);
        target.History.AddSetting(step.Phase, OwnerCall, "owner", value, error, error?.Name == "EPERM" ? "needs CAP_CHOWN" : null);
        return null;
    }

    /// <summary>Sets the bits that the umask took away; without a call if the mode is right already.</summary>
    public static void SetMode(SocketTarget target, PathModeStep step)
    {
        using var file = PinOwn(target.Handle, step.Path, out var pinned);
        if (file is null || Files.GetStatus(file, out var status) is not null || status.Permissions != step.Mode)
        {
            var error = file is null ? pinned : Files.SetPinnedMode(file, step.Mode);
            target.History.AddSetting(step.Phase, "chmod", "mode", Octal(step.Mode), error);
        }
    }

    /// <summary>
    /// Changes owner and mode to what a reload asks for; a value that is no longer set becomes the daemon's own. Returns what is in
    /// force afterwards: the former value of what the kernel refused, which <see cref="ListenerHandle.RefusedOfFile"/> has.
    /// </summary>
    public static UnixOptions Change(SocketTarget target, UnixOptions before, UnixOptions after, string path)
    {
        var inForce = after;
        target.Handle.RefusedOfFile = [.. target.Handle.RefusedOfFile.Where(entry => entry.Option is not ("owner" or "mode"))];
        if (before.User != after.User || before.Group != after.Group)
        {
            var entries = target.Handle.History.Count;
            SetOwner(
                target, new PathOwnerStep(path, after.User, after.Group),
                after.User is null && before.User is not null ? Processes.EffectiveUid : null,
                after.Group is null && before.Group is not null ? Processes.EffectiveGid : null);
            if (WasRefused(target, entries))
            {
                inForce = inForce with { User = before.User, Group = before.Group };
            }
        }

        if (before.Mode != after.Mode)
        {
            const int allPermissions = 0x1FF;
            var entries = target.Handle.History.Count;
            SetMode(target, new PathModeStep(path, after.Mode ?? (allPermissions & ~Umask())));
            if (WasRefused(target, entries))
            {
                inForce = inForce with { Mode = before.Mode };
            }
        }

        return inForce;
    }

    /// <summary>Whether the call that was recorded after so many entries was refused; it is then shown with the listener.</summary>
    private static bool WasRefused(SocketTarget target, long entries)
    {
        if (target.Handle.History.Latest is not { Verdict: Verdict.Refused } latest || target.Handle.History.Count == entries)
        {
            return false;
        }

        target.Handle.RefusedOfFile = [.. target.Handle.RefusedOfFile, latest];
        return true;
    }

    /// <summary>
    /// Removes the file, if it is still the one that bind() made. The socket must still be open: it keeps the file's inode number
    /// from being used for another file (net/unix/af_unix.c holds the path until the last close).
    /// </summary>
    public static void Remove(ListenerHandle handle, HistoryRecorder history)
    {
        if (handle.PathIdentity is { } identity && handle.Spec.Address is { HasFile: true, Path: { } path })
        {
            using var place = SocketPlace.Open(path, out _, out _);
            if (place is not null && place.Identity() == identity)
            {
                history.AddCall(HandlePhase.Close, "unlinkat", place.Unlink(), note: path);
            }
        }

        if (handle is { Descriptor: not null, Spec: { Address.Kind: ListenerKind.MessageQueue, Opened.RemoveOnStop: true } })
        {
            OpenSteps.RemoveQueue(handle, history);
        }

        handle.PathIdentity = null;
    }

    /// <summary>The file of the listener's socket, pinned; null if another file is at the path.</summary>
    internal static DescriptorHandle? PinOwn(ListenerHandle handle, string path, out SystemCallError error)
    {
        if (!handle.Spec.Address.Kind.IsSocket())
        {
            // The descriptor is of the file itself.
            return Descriptors.Duplicate(handle.Descriptor!, out error);
        }

        using var place = SocketPlace.Open(path, out error, out _);
        var file = place?.Pin(out error);
        if (file is not null && (Files.GetStatus(file, out var status) is not null || (status.Device, status.Inode) != handle.PathIdentity))
        {
            file.Dispose();
            error = new SystemCallError("open", ESTALE);
            return null;
        }

        return file;
    }

    /// <summary>The daemon's umask, from /proc: umask(2) would have to change it, for all threads, to read it.</summary>
    private static int Umask()
    {
        const string field = "Umask:";
        const int usual = 0x12;
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal));
        return line is null ? usual : Convert.ToInt32(line[field.Length..].Trim(), 8);
    }

    /// <summary>Permission bits as chmod(1) writes them.</summary>
    internal static OptionValue Octal(int mode) => OptionValue.Of("0" + Convert.ToString(mode, 8));
}
