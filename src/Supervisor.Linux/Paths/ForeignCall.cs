using System.Runtime.ExceptionServices;
using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>
/// Runs a call on its own thread, with another user's rights on files (<see cref="ThreadRights"/>), or with the daemon's rights
/// if a path may be slow. Another user's file system can block the call without limit, so the caller decides how long to wait.
/// A result that no caller collects is disposed by the garbage collector.
/// </summary>
internal sealed class ForeignCall<T>
{
    private const int StackBytes = 512 * 1024;

    /// <summary>Null if it could not start.</summary>
    private readonly Thread? _thread;
    private T? _result;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts the call. <paramref name="refused"/> makes the result if the thread cannot start or take the rights.</summary>
    public ForeignCall(FileRights? rights, Func<T> body, Func<SystemCallError, T> refused)
    {
        _thread = BackgroundThread.TryStart("files", StackBytes, Run);
        if (_thread is null)
        {
            _result = refused(new SystemCallError("clone", KernelAbi.EAGAIN));
        }

        void Run()
        {
            try
            {
                var error = rights is null ? null : ThreadRights.Take(rights.Uid, rights.Gid, [.. rights.Groups]);
                _result = error is { } refusal ? refused(refusal) : body();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }

    /// <summary>Waits for the result; false if it has not arrived within <paramref name="patience"/>.</summary>
    public bool TryGet(TimeSpan patience, out T? result)
    {
        var ended = _thread?.Join(patience) ?? true;
        result = ended ? Get() : default;
        return ended;
    }

    /// <summary>Waits for the result without a time limit.</summary>
    public T Get()
    {
        _thread?.Join();
        _failure?.Throw();
        return _result!;
    }
}
