using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>The name or number of a user or group.</summary>
public readonly record struct AccountName(bool IsUser, string Name)
{
    /// <summary>The configured owner and group of a listener's socket file.</summary>
    public static IEnumerable<AccountName> OwnersOf(ListenerSpec spec) =>
    [
        .. spec.Unix.User is { } user ? [new AccountName(true, user)] : Array.Empty<AccountName>(),
        .. spec.Unix.Group is { } group ? [new AccountName(false, group)] : Array.Empty<AccountName>(),
    ];

    /// <summary>For messages, such as <c>user "www-data"</c>.</summary>
    public override string ToString() => $"{(IsUser ? "user" : "group")} \"{Name}\"";
}

/// <summary>Why a user or group is not known.</summary>
/// <param name="IsMissing">Whether the host has no such user or group; false if the name service has not responded.</param>
/// <param name="Reason">The reason, without the name.</param>
/// <param name="Remedy">The remedy.</param>
public sealed record AccountError(bool IsMissing, string Reason, string Remedy)
{
    /// <summary>Reason and remedy.</summary>
    public override string ToString() => $"{Reason}; {Remedy}";
}

/// <summary>
/// Caches the answers of a user database, which it queries on separate threads. The loop calls <see cref="Refresh"/>,
/// continues, and reads the answers when they have arrived: it never waits for a name service. Any thread.
/// </summary>
/// <remarks>
/// A query that has no answer yet is not repeated, so a name service that hangs costs one thread for each name.
/// </remarks>
public sealed class UserDirectory(IUserDatabase database, TimeProvider time)
{
    /// <summary>How long a request waits for an answer before it fails.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int StackBytes = 256 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<AccountName, Answer> _answers = [];
    private readonly Dictionary<AccountName, Task> _underWay = [];

    /// <summary>The directory of the host.</summary>
    public static UserDirectory Host { get; } = new(new HostUserDatabase(), TimeProvider.System);

    /// <summary>
    /// Queries all the names at the same time. The task completes when each has its answer, or after <see cref="Patience"/>. It
    /// never fails; <see cref="FindUser"/> and <see cref="FindGroup"/> return the results.
    /// </summary>
    public async Task Refresh(IReadOnlyCollection<AccountName> names)
    {
        var questions = names.Distinct().Select(Ask).ToArray();
        try
        {
            await Task.WhenAll(questions).WaitAsync(Patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                foreach (var name in names.Where(_underWay.ContainsKey))
                {
                    _answers[name] = NoAnswer(name);
                }
            }
        }
    }

    /// <summary>The newest answer for a user; null with the reason if there is no such user, or no answer.</summary>
    public UserAccount? FindUser(string nameOrNumber, out AccountError? error) =>
        Find<UserAccount>(new AccountName(true, nameOrNumber), out error);

    /// <summary>
    /// The newest answer for a group; null with the reason if there is no such group, or no answer. A number needs no answer.
    /// </summary>
    public uint? FindGroup(string nameOrNumber, out AccountError? error)
    {
        if (IsNumber(nameOrNumber, out var gid))
        {
            error = null;
            return gid;
        }

        return Find<object>(new AccountName(false, nameOrNumber), out error) as uint?;
    }

    private T? Find<T>(AccountName name, out AccountError? error)
        where T : class
    {
        lock (_lock)
        {
            var answer = _answers.GetValueOrDefault(name);
            error = answer is null ? new AccountError(false, "the name service has not been asked yet", "try again") : answer.Error;
            return (T?)answer?.Value;
        }
    }

    private Task Ask(AccountName name)
    {
        if (!name.IsUser && IsNumber(name.Name, out _))
        {
            return Task.CompletedTask;
        }

        lock (_lock)
        {
            if (_underWay.TryGetValue(name, out var same))
            {
                return same;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _underWay.Add(name, done.Task);
            BackgroundThread.Start("users", StackBytes, () => Answered(name, done));
            return done.Task;
        }
    }

    private void Answered(AccountName name, TaskCompletionSource done)
    {
        var value = name.IsUser ? (object?)database.FindUser(name.Name) : database.FindGroup(name.Name);
        lock (_lock)
        {
            _answers[name] = new Answer(value, value is null ? Missing(name) : null);
            _underWay.Remove(name);
        }

        done.SetResult();
    }

    /// <summary>Without an answer, a user's number is enough to start a program; a name is not.</summary>
    private static Answer NoAnswer(AccountName name) => name.IsUser && IsNumber(name.Name, out var uid)
        ? new Answer(new UserAccount(uid, uid, name.Name, "/", "/bin/sh", []), null)
        : new Answer(
            null,
            new AccountError(
                false,
                string.Create(CultureInfo.InvariantCulture, $"the name service did not answer within {Patience.TotalSeconds}s"),
                $"see which source of /etc/nsswitch.conf hangs: getent {(name.IsUser ? "passwd" : "group")} {name.Name}"));

    private static AccountError Missing(AccountName name) =>
        new(true, $"there is no such {(name.IsUser ? "user" : "group")} on this host", "create it, or name another");

    private static bool IsNumber(string text, out uint id) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id != uint.MaxValue;

    private sealed record Answer(object? Value, AccountError? Error);
}
