using System.Globalization;
using System.Net.Sockets;

namespace Supervisor.Client;

/// <summary>Takes the listeners that the supervisor holds: by LISTEN_FDS (sd_listen_fds(3)) or from listend's broker.</summary>
public static class SharedListeners
{
    private const int FirstDescriptor = 3;
    private const int MaxDescriptors = 4096;

    /// <summary>
    /// The listeners that were meant for this process, in the order of the configuration: those of LISTEN_FDS; where there
    /// are none, those of LISTEND_LISTENERS from the broker (<c>handoff = "scm-rights"</c>). Empty where nobody supervises
    /// this process. To be called once: each call makes owners anew.
    /// </summary>
    /// <exception cref="BrokerException">The broker refuses.</exception>
    /// <exception cref="IOException">A descriptor is not open, or the broker does not answer.</exception>
    public static IReadOnlyList<SharedListener> FromEnvironment() =>
        [.. Descriptors().Select(one => new SharedListener(one.Name, new Socket(new SafeSocketHandle(one.Descriptor, ownsHandle: true))))];

    /// <summary>
    /// Takes listeners from the broker by their names, all of them or none; whoever asks is told by the kernel, and the
    /// listener's <c>allow</c> or the service's <c>listeners</c> decide.
    /// </summary>
    /// <param name="names">One name or more, each once.</param>
    /// <returns>The listeners in the order of the names; the caller owns them.</returns>
    /// <exception cref="BrokerException">The broker refuses: there is no such listener, or it is not for this process.</exception>
    /// <exception cref="IOException">The broker does not answer, or LISTEND_BROKER is not set.</exception>
    public static IReadOnlyList<SharedListener> Take(params IReadOnlyList<string> names) =>
        [.. TakeDescriptors(names).Select(one => new SharedListener(one.Name, new Socket(new SafeSocketHandle(one.Descriptor, ownsHandle: true))))];

    /// <summary>The same as bare descriptors, owned by the caller and close-on-exec.</summary>
    internal static IReadOnlyList<(string Name, int Descriptor)> Descriptors()
    {
        var count = Environment.GetEnvironmentVariable("LISTEN_FDS");
        if (count is not null && Environment.GetEnvironmentVariable("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= MaxDescriptors)
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

    private static IReadOnlyList<(string Name, int Descriptor)> TakeDescriptors(IReadOnlyList<string> names) => BrokerConnection.Take(
        Environment.GetEnvironmentVariable("LISTEND_BROKER") ?? throw new IOException("LISTEND_BROKER is not set: this process is no worker of listend"), names);
}
