using System.Globalization;
using System.Net.Sockets;

namespace Supervisor.Client;

/// <summary>Takes listeners from the supervisor: by LISTEN_FDS (sd_listen_fds(3)), or from listend's broker.</summary>
public static class SharedListeners
{
    private const int FirstDescriptor = 3;
    private const int MaxDescriptors = 4096;

    /// <summary>
    /// The listeners for this process, in the order of the configuration: those of LISTEN_FDS, otherwise those of
    /// LISTEND_LISTENERS from the broker (<c>handoff = "scm-rights"</c>). Empty without a supervisor. Call it once: the
    /// listeners of a second call would own the same descriptors.
    /// </summary>
    /// <returns>The listeners; the caller owns them.</returns>
    /// <exception cref="BrokerException">The broker refuses the request.</exception>
    /// <exception cref="IOException">A descriptor is not open, or the broker does not answer.</exception>
    public static IReadOnlyList<SharedListener> FromEnvironment() =>
        [.. Descriptors().Select(Own)];

    /// <summary>
    /// Takes listeners from the broker by name, all or none. The broker knows the process by its credentials (SO_PEERCRED);
    /// the listener's <c>allow</c> and the service's <c>listeners</c> decide.
    /// </summary>
    /// <param name="names">At least one name, each only once.</param>
    /// <returns>The listeners in the order of the names; the caller owns them.</returns>
    /// <exception cref="BrokerException">The broker refuses: no listener has this name, or this process may not take it.</exception>
    /// <exception cref="IOException">The broker does not answer, or LISTEND_BROKER is not set.</exception>
    public static IReadOnlyList<SharedListener> Take(params IReadOnlyList<string> names) =>
        [.. TakeDescriptors(names).Select(Own)];

    /// <summary>The same as bare descriptors, owned by the caller and close-on-exec.</summary>
    internal static IReadOnlyList<(string Name, int Descriptor)> Descriptors()
    {
        var count = Environment.GetEnvironmentVariable("LISTEN_FDS");
        var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (Environment.GetEnvironmentVariable("LISTEN_PID") == pid
            && IsThisProcess(Environment.GetEnvironmentVariable("LISTEN_PIDFDID"))
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= MaxDescriptors)
        {
            var names = Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':') ?? [];
            var descriptors = new List<(string, int)>();
            for (var i = 0; i < number; i++)
            {
                Native.SetCloseOnExec(FirstDescriptor + i);
                descriptors.Add((i < names.Length && names[i].Length > 0 ? names[i] : "unknown", FirstDescriptor + i));
            }

            return descriptors;
        }

        return Environment.GetEnvironmentVariable("LISTEND_LISTENERS") is { Length: > 0 } listed ? TakeDescriptors(listed.Split(':')) : [];
    }

    /// <summary>
    /// Whether the number is that of this process's pidfd. Process ids are used again, and these numbers are not. True if either is
    /// not known.
    /// </summary>
    private static bool IsThisProcess(string? id) =>
        id is null || Native.OwnPidfdInode(Environment.ProcessId) is not { } own || own == id;

    private static SharedListener Own((string Name, int Descriptor) taken) =>
        new(taken.Name, new Socket(new SafeSocketHandle(taken.Descriptor, ownsHandle: true)));

    private static IReadOnlyList<(string Name, int Descriptor)> TakeDescriptors(IReadOnlyList<string> names) => BrokerConnection.Take(
        Environment.GetEnvironmentVariable("LISTEND_BROKER")
            ?? throw new IOException("LISTEND_BROKER is not set: this process is not a worker of listend"),
        names);
}
