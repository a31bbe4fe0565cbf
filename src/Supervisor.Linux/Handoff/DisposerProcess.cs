using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>The disposer's process and the link (SOCK_SEQPACKET) for sending jobs. The process exits when the link closes.</summary>
internal sealed class DisposerProcess : IDisposable
{
    private const int ReadWrite = 2; // O_RDWR

    private DisposerProcess(int pid, DescriptorHandle link)
    {
        Pid = pid;
        Link = link;
    }

    public int Pid { get; }

    public DescriptorHandle Link { get; }

    /// <summary>Starts a disposer with <paramref name="environment"/>; null with the reason if that fails.</summary>
    public static DisposerProcess? Start(IReadOnlyList<string> environment, out string error)
    {
        using var image = Succession.Executable("listend-disposer", Succession.DisposerProgram, out var unwritten);
        if (image is null)
        {
            error = unwritten.ToString();
            return null;
        }

        using var nothing = Files.Open("/dev/null", ReadWrite, 0, out var unopened);
        if (nothing is null)
        {
            error = unopened.ToString();
            return null;
        }

        if (DescriptorPassing.Pair(out var link, out var other) is { } unpaired)
        {
            error = unpaired.ToString();
            return null;
        }

        using (other)
        {
            using var process = ChildProcess.Start(
                new ChildProcess.Plan
                {
                    Path = "/proc/self/fd/4",
                    Arguments = ["listend-disposer"],
                    Environment = environment,
                    Descriptors = [nothing, nothing, nothing, other!, image],
                    Directory = "/",
                    NoNewPrivileges = true,
                },
                out var why);
            ChildProcess.Finish();
            if (process is null)
            {
                link!.Dispose();
                error = $"{why.Stage}: {ErrnoNames.Name(why.Errno)}";
                return null;
            }

            // The process exits when the link closes, so its pidfd is not needed.
            process.Pidfd.Dispose();
            error = "";
            return new DisposerProcess(process.Pid, link!);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Link.Dispose();
}
