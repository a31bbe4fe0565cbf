using System.Runtime.ExceptionServices;
using Supervisor.Native;

namespace Supervisor.Linux.Paths;

/// <summary>
/// A call on a thread of its own, which ends with it: with the rights of another user on files (<see cref="ThreadRights"/>), or
/// with the daemon's where a path may be slow. A file system of others can hold it for as long as they like, so whoever wants
/// the answer decides how long to wait; what nobody collects is closed by the collector of garbage.
/// </summary>
internal sealed class ForeignCall<T>
{
    private const int StackBytes = 512 * 1024;

    private readonly Thread _thread;
    private T? _result;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Begins. <paramref name="refused"/> makes the answer where the rights cannot be had.</summary>
    public ForeignCall(FileRights? rights, Func<T> body, Func<SystemCallError, T> refused)
    {
        _thread = new Thread(Run, StackBytes) { IsBackground = true, Name = "files" };
        _thread.Start();

        void Run()
        {
            try
            {
                _result = rights is not null && ThreadRights.Take(rights.Uid, rights.Gid, [.. rights.Groups]) is { } error ? refused(error) : body();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }

    /// <summary>Waits for the answer; false where it has not come within <paramref name="patience"/>.</summary>
    public bool TryGet(TimeSpan patience, out T? result)
    {
        var ended = _thread.Join(patience);
        result = ended ? Get() : default;
        return ended;
    }

    /// <summary>Waits for the answer for as long as it takes.</summary>
    public T Get()
    {
        _thread.Join();
        _failure?.Throw();
        return _result!;
    }
}
