using Supervisor.Linux.Continuity;

namespace Supervisor.Daemon.Continuity;

/// <summary>What re-executing the daemon needs of the operating system.</summary>
internal interface IReExecSystem
{
    /// <summary>The path that will be executed.</summary>
    string Path { get; }

    /// <summary>Device and inode of the file at the path; zeros without a file.</summary>
    (ulong Device, ulong Inode) Identity { get; }

    /// <summary>
    /// Why the file at the path must not be executed; null if it may. Waits for the file system, so do not call it on the
    /// loop.
    /// </summary>
    string? CheckExecutable();

    /// <summary>
    /// Has the executable check the state in a child process, and calls <paramref name="onResult"/> once, on the loop, with a function
    /// that tells whether an answer is about that state. What was written for it is kept for <see cref="Execute"/> until
    /// <see cref="Discard"/>.
    /// </summary>
    void Preflight(Action<TrialResult, Func<StateVerdict, bool>> onResult);

    /// <summary>
    /// Executes the file in this process, with the current state and every descriptor. Returns only if that fails, with the reason;
    /// then nothing has changed.
    /// </summary>
    string Execute();

    /// <summary>Gives up the text of the checked state, because no upgrade follows.</summary>
    void Discard();
}
