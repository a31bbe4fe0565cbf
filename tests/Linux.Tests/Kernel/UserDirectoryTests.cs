using Microsoft.Extensions.Time.Testing;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>Users and groups while their name service is slow.</summary>
public sealed class UserDirectoryTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly HangingUsers _users = new();
    private readonly UserDirectory _directory;

    public UserDirectoryTests() => _directory = new UserDirectory(_users, _time);

    public void Dispose() => _users.Release();

    [Fact]
    public async Task A_user_lookup_times_out_after_30_seconds_without_a_retry()
    {
        AccountName slow = new(true, "slow"), number = new(true, "4711"), quick = new(false, "quick");
        var first = _directory.Refresh([slow, number, quick]);
        var second = _directory.Refresh([slow]);

        // The clock does not wait for the threads that ask.
        await Task.WhenAll(_users.SlowAsked, _directory.Refresh([quick])).WaitAsync(KernelTest.Patience);
        _time.Advance(UserDirectory.Patience - TimeSpan.FromMilliseconds(1));
        Assert.False(first.IsCompleted || second.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Task.WhenAll(first, second).WaitAsync(KernelTest.Patience);
        Assert.Null(_directory.FindUser("slow", out var error));
        Assert.Equal(
            "the name service did not answer within 30s; see which source of /etc/nsswitch.conf hangs: getent passwd slow",
            error?.ToString());
        Assert.Equal(1, _users.Asked("slow"));

        // A number is enough to start a program.
        Assert.Equal(4711u, _directory.FindUser("4711", out _)?.Uid);
        Assert.Equal(7u, _directory.FindGroup("quick", out _));

        _users.Release();
        await _directory.Refresh([slow]).WaitAsync(KernelTest.Patience);
        Assert.Equal(1000u, _directory.FindUser("slow", out _)?.Uid);
    }

    [Fact]
    public async Task A_missing_name_has_a_cause_and_a_gid_needs_no_lookup()
    {
        await _directory.Refresh([new AccountName(true, "missing"), new AccountName(false, "12")]);
        Assert.Null(_directory.FindUser("missing", out var error));
        Assert.True(error is { IsMissing: true });
        Assert.Equal(12u, _directory.FindGroup("12", out _));
        Assert.Equal(0, _users.Asked("12"));
    }
}
