using System.Collections.Concurrent;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>
/// A user database that does not respond for "slow" and "4711" until it is released, and knows all other names except
/// "missing".
/// </summary>
internal sealed class HangingUsers : IUserDatabase
{
    private readonly TaskCompletionSource _released = new();
    private readonly TaskCompletionSource _slowAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _asked = new();

    public int Asked(string name) => _asked.Count(asked => asked == name);

    /// <summary>Completes when "slow" was asked for the first time.</summary>
    public Task SlowAsked => _slowAsked.Task;

    public void Release() => _released.TrySetResult();

    public UserAccount? FindUser(string nameOrNumber)
    {
        Answer(nameOrNumber);
        return nameOrNumber == "missing" ? null : new UserAccount(1000, 1000, nameOrNumber, "/", "/bin/sh", []);
    }

    public uint? FindGroup(string nameOrNumber)
    {
        Answer(nameOrNumber);
        return nameOrNumber == "missing" ? null : 7;
    }

    private void Answer(string name)
    {
        _asked.Enqueue(name);
        if (name == "slow")
        {
            _slowAsked.TrySetResult();
        }

        if (name is "slow" or "4711")
        {
            _released.Task.Wait();
        }
    }
}
