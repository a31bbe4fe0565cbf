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
    /// <summary>fchmod() of the socket before bind(): the file gets this mode less the umask.</summary>
    public static void SetSocketMode(SocketTarget target, SocketModeStep step) =>
        target.History.AddSetting(step.Phase, "fchmod", "mode", Octal(step.Mode), Files.SetMode(target.Descriptor, step.Mode));

    /// <summary>Sets the file's owner. An unknown user or group is a failure: the owner decides who may connect.</summary>
    public static SystemCallFailure? SetOwner(SocketTarget target, PathOwnerStep step)
    {
        var user = step.User is null ? null : Processes.FindUser(step.User);
        var group = step.Group is null ? null : Processes.FindGroup(step.Group);
        var value = OptionValue.Of($"{step.User}:{step.Group}");
        var unknown = step.User is not null && user is null ? $"unknown user \"{step.User}\""
            : step.Group is not null && group is null ? $"unknown group \"{step.Group}\""
            : null;
        if (unknown is not null)
        {
            target.History.Add(step.Phase, "fchownat", "owner", value, errno: "EINVAL", verdict: Verdict.Refused, note: unknown);
            return new SystemCallError("fchownat", EINVAL).With($"{step.Path}, {value}: {unknown}");
        }

        using var file = PinOwn(target.Handle, step.Path, out var pinned);
        var error = file is null ? pinned : Files.SetPinnedOwner(file, user?.Uid ?? uint.MaxValue, group ?? uint.MaxValue);
        target.History.AddSetting(step.Phase, "fchownat", "owner", value, error, error?.Name == "EPERM" ? "needs CAP_CHOWN" : null);
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

    /// <summary>Changes owner and mode to what a reload asks for; a value that is no longer set becomes the daemon's own.</summary>
    public static void Change(SocketTarget target, UnixOptions before, UnixOptions after, string path)
    {
        if (before.User != after.User || before.Group != after.Group)
        {
            var user = after.User ?? (before.User is null ? null : Processes.EffectiveUid.ToString(CultureInfo.InvariantCulture));
            var group = after.Group ?? (before.Group is null ? null : Processes.EffectiveGid.ToString(CultureInfo.InvariantCulture));
            SetOwner(target, new PathOwnerStep(path, user, group));
        }

        if (before.Mode != after.Mode)
        {
            const int allPermissions = 0x1FF;
            SetMode(target, new PathModeStep(path, after.Mode ?? (allPermissions & ~Umask())));
        }
    }

    /// <summary>
    /// Removes the file, if it is still the one that bind() made. The socket must still be open: it keeps the file's inode number
    /// from being used for another file (net/unix/af_unix.c holds the path until the last close).
    /// </summary>
    public static void Remove(ListenerHandle handle, HistoryRecorder history)
    {
        if (handle.PathIdentity is { } identity && handle.Spec.Address.Path is { } path)
        {
            using var place = SocketPlace.Open(path, out _, out _);
            if (place is not null && place.Identity() == identity)
            {
                history.AddCall(HandlePhase.Close, "unlinkat", place.Unlink(), note: path);
            }
        }

        handle.PathIdentity = null;
    }

    private static DescriptorHandle? PinOwn(ListenerHandle handle, string path, out SystemCallError error)
    {
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

    private static OptionValue Octal(int mode) => OptionValue.Of("0" + Convert.ToString(mode, 8));
}
