using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Workers;

/// <summary>The file of a UNIX socket on which one worker reaches the daemon. Only the worker's user and root may write to it.</summary>
internal static class WorkerSocketFile
{
    /// <summary>
    /// The path of a worker's socket: SERVICE.ID.sock, or seven characters that stand for it where that is too long for the kernel.
    /// <paramref name="use"/> tells the sockets of one worker apart; it begins with a dot, or is empty.
    /// </summary>
    public static string PathFor(string directory, string service, int workerId, string use = "")
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{service}.{workerId}{use}");
        var path = Path.Combine(directory, name + ".sock");
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, path, isAbstract: false)) is not null)
        {
            return path;
        }

        const string letters = "abcdefghijklmnopqrstuvwxyz234567";
        var digest = BinaryPrimitives.ReadUInt64LittleEndian(Sha256.Of(Encoding.UTF8.GetBytes(name)));
        return Path.Combine(directory, string.Create(7, digest, static (text, rest) =>
        {
            for (var i = 0; i < text.Length; i++, rest >>= 5)
            {
                text[i] = letters[(int)(rest & 31)];
            }
        }));
    }

    /// <summary>
    /// Creates a non-blocking socket with SO_PASSCRED, bound to the path, which belongs to <paramref name="uid"/> (null: the daemon's
    /// user). Null and a failure if that is refused.
    /// </summary>
    /// <param name="type">SOCK_DGRAM or SOCK_STREAM.</param>
    /// <param name="path">The path.</param>
    /// <param name="uid">The worker's user.</param>
    /// <param name="failure">What was refused.</param>
    public static DescriptorHandle? Create(int type, string path, uint? uid, out SystemCallFailure? failure)
    {
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, path, isAbstract: false)) is not { } raw)
        {
            failure = new SystemCallError("bind",
                36).With($"{path}: the runtime directory's path is too long for a socket in it; choose a shorter one");
            return null;
        }

        var socket = Sockets.Create(AF_UNIX, type, 0, nonBlocking: true, out var error);
        if (socket is null)
        {
            failure = error.With(type == SOCK_DGRAM ? "AF_UNIX, SOCK_DGRAM" : "AF_UNIX, SOCK_STREAM");
            return null;
        }

        if (Bind(socket, path, raw, uid) is { } why)
        {
            Files.Unlink(path);
            socket.Dispose();
            failure = why.With(path);
            return null;
        }

        failure = null;
        return socket;
    }

    private static SystemCallError? Bind(DescriptorHandle socket, string path, byte[] raw, uint? uid)
    {
        var refused = Sockets.SetInt32(socket, SOL_SOCKET, SO_PASSCRED, 1) ?? Files.SetMode(socket, 0x180) ?? Sockets.Bind(socket, raw);
        if (refused is { Errno: ENOENT } && Path.GetDirectoryName(path) is { } directory)
        {
            // Another program has removed the directory. 0711, as it was made at the start.
            const int mode = 0x1C9;
            using var made = PathWalk.MakeDirectories(directory, PathTrust.InForce, mode);
            refused = made is { Target: { } target, FirstFlaw: null }
                ? Files.SetPinnedMode(target, mode) ?? Sockets.Bind(socket, raw)
                : refused;
        }

        if (refused is { Errno: EADDRINUSE })
        {
            // A leftover of a predecessor that is not in the state: only the daemon uses this directory.
            Files.Unlink(path);
            refused = Sockets.Bind(socket, raw);
        }

        if (refused is null && uid is { } user && user != Processes.EffectiveUid)
        {
            using var file = Files.Pin(path, out var unseen);
            refused = file is null ? unseen : Files.SetPinnedOwner(file, user, uint.MaxValue);
        }

        return refused;
    }
}
