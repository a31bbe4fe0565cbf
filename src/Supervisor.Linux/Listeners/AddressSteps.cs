using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>bind() and getsockname(), recorded.</summary>
internal static class AddressSteps
{
    /// <summary>Binds the socket. With <c>unix.remove_stale</c> a socket file without a listening process is removed first.</summary>
    public static SystemCallFailure? Bind(SocketTarget target, ListenAddress address)
    {
        uint scopeId = 0;
        if (address.Scope is { } scope)
        {
            if (NamespaceCall.InterfaceIndex(target.Spec.NetworkNamespace, scope) is not { } index)
            {
                target.History.Add(
                    HandlePhase.Bind, "if_nametoindex", requested: OptionValue.Of(scope), errno: "ENODEV", verdict: Verdict.Refused,
                    note: $"no interface \"{scope}\" in this network namespace: cannot bind {address}");
                return new SystemCallError("if_nametoindex", ENODEV).With(scope);
            }

            scopeId = index;
        }

        if (Sockaddr.Encode(address, scopeId) is not { } raw)
        {
            return Refuse(
                target, new SystemCallError("bind", ENAMETOOLONG), address,
                $"the path has {address.PathBytes} bytes, the limit for a UNIX socket is {ListenAddress.MaxUnixPathBytes}");
        }

        return address.IsFile ? BindPath(target, address, raw) : Finish(target, address, Sockets.Bind(target.Descriptor, raw), null);
    }

    /// <summary>The address that the kernel gave, and the socket's identity.</summary>
    public static SystemCallFailure? Verify(SocketTarget target)
    {
        var handle = target.Handle;
        if (!handle.Spec.Address.Kind.IsSocket())
        {
            return OpenSteps.Verify(target);
        }

        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        var error = Sockets.GetSocketName(target.Descriptor, raw, out var length);
        handle.Effective = error is null ? Sockaddr.Decode(handle.Spec.Address.Kind, raw[..length], handle.Spec.Address) : null;
        target.Socket.ReadInode();
        var requested = OptionValue.Of(handle.Requested);
        var effective = handle.EffectiveText is { } text ? OptionValue.Of(text) : (OptionValue?)null;
        var verdict = error is not null ? Verdict.Refused : requested == effective ? Verdict.Exact : Verdict.Adjusted;
        target.History.Add(HandlePhase.Verify, "getsockname", "address", requested, effective, error?.Name, verdict, Meaning(handle));
        if (handle.Domain == SocketDomain.IPv6)
        {
            OptionSteps.ReadAfterBind(target);
        }

        return error?.With(handle.Requested);
    }

    private static string? Meaning(ListenerHandle handle) => handle.Spec.Address switch
    {
        { IsAnyFamily: true } when handle.Domain != SocketDomain.IPv6 => "every IPv4 address: this host has no IPv6",
        { IsAnyFamily: true } when handle.Spec.Bind.IPv6Only => "every IPv6 address",
        { IsAnyFamily: true } => "every IPv6 and every IPv4 address (dual-stack)",
        { Port: 0 } when handle.Effective?.Port > 0 => "port 0: the kernel chose a free port",
        _ => null,
    };

    private static SystemCallFailure? BindPath(SocketTarget target, ListenAddress address, byte[] raw)
    {
        if (MakeDirectory(target, address.Path!) is { } reason)
        {
            return Refuse(target, new SystemCallError("bind", ENOENT), address, reason);
        }

        using var place = SocketPlace.Open(address.Path!, out var unopened, out var note);
        if (place is null)
        {
            return BindUnopened(target, address, raw, unopened, note);
        }

        var error = place.Bind(target.Descriptor, raw);
        if (error?.Errno == EADDRINUSE && target.Spec.Unix.RemoveStale)
        {
            Refuse(target, error.Value, address, "remove_stale: checking whether a process listens there");
            if (!StaleSocket.Remove(place, address.Kind, out var why))
            {
                return error.Value.With($"{address}: {why}");
            }

            target.History.Add(HandlePhase.Bind, "unlinkat", note: $"{address.Path}: {why}");
            error = place.Bind(target.Descriptor, raw);
        }

        if (Finish(target, address, error, note) is { } failure)
        {
            return failure;
        }

        target.Handle.RealPath = place.RealPath;
        using var file = place.PinBound(out _);
        target.Handle.PathIdentity = file is not null && Files.GetStatus(file, out var status) is null
            ? (status.Device, status.Inode)
            : null;
        return null;
    }

    /// <summary>Makes the directory with <c>unix.directory_mode</c>. Why that was refused; null if it was not.</summary>
    public static string? MakeDirectory(SocketTarget target, string path)
    {
        if (target.Spec.Unix.DirectoryMode is not { } mode)
        {
            return null;
        }

        using (var there = SocketPlace.Open(path, out var unopened, out _))
        {
            if (there is not null || unopened.Errno != ENOENT)
            {
                return null;
            }
        }

        var folder = Path.GetDirectoryName(path)!;
        return SocketDirectory.Make(target.History, folder, mode, out var note) is { } error ? note ?? $"{folder}: {error.Text}" : null;
    }

    /// <summary>
    /// The directory could not be opened. If no other user can change it, bind() reports the same error; a directory that did not
    /// answer in time is not asked again.
    /// </summary>
    private static SystemCallFailure? BindUnopened(
        SocketTarget target, ListenAddress address, byte[] raw, SystemCallError unopened, string? note)
    {
        var hasAnswered = unopened.Errno != ETIMEDOUT;
        if (note is null && hasAnswered)
        {
            return Finish(target, address, Sockets.Bind(target.Descriptor, raw), null);
        }

        var failure = Refuse(target, unopened, address, note);
        return hasAnswered ? failure with { Call = "bind" } : failure;
    }

    private static SystemCallFailure? Finish(SocketTarget target, ListenAddress address, SystemCallError? error, string? note)
    {
        if (error is { } refused)
        {
            return Refuse(target, refused, address, note);
        }

        var bound = address == target.Spec.Address ? target.Handle.Requested : address.ToString();
        target.History.Add(HandlePhase.Bind, "bind", requested: OptionValue.Of(target.Handle.Requested), effective: OptionValue.Of(bound));
        return null;
    }

    private static SystemCallFailure Refuse(SocketTarget target, SystemCallError error, ListenAddress address, string? note)
    {
        target.History.Add(
            HandlePhase.Bind, error.Call, requested: OptionValue.Of(address.ToString()), errno: error.Name,
            verdict: Verdict.Refused, note: note);
        return error.With(note is null ? address.ToString() : $"{address}: {note}");
    }
}
