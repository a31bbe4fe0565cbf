using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>
/// The rules of [access.NAME] with the numbers of their users and groups. While there are rules, every local user may connect to the
/// control socket, and may do there only what a rule permits. On the loop, except <see cref="Grants"/>.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="path">The control socket's file.</param>
internal sealed class AccessPolicy(EventLoop loop, string path)
{
    /// <summary>The mode of the socket's file for its owner and group, and with rules for every user.</summary>
    private const int GroupMode = 0x1B0, EveryoneMode = 0x1B6;

    private volatile Grant[] _grants = [];
    private ImmutableArray<AccessRule> _rules = [];

    /// <summary>A rule for a user, a group, or both.</summary>
    public sealed record Grant(AccessRule Rule, uint? Uid, uint? Gid);

    /// <summary>The rules in force. Any thread.</summary>
    public IReadOnlyList<Grant> Grants => _grants;

    /// <summary>
    /// Changes the rules. What is removed has no effect from now on; new rules wait until their names are looked up, on another
    /// thread. A name that is not found permits nothing.
    /// </summary>
    public void Set(ImmutableArray<AccessRule> rules)
    {
        _rules = rules;
        _grants = [.. _grants.Where(grant => rules.Contains(grant.Rule))];
        AccountName[] names =
        [
            .. rules.Where(rule => rule.User is not null).Select(rule => new AccountName(true, rule.User!)),
            .. rules.Where(rule => rule.Group is not null).Select(rule => new AccountName(false, rule.Group!)),
        ];
        UserDirectory.Host.Refresh(names).ContinueWith(_ => loop.Post(() => Take(rules)), TaskScheduler.Default);
    }

    /// <summary>Sets the mode of the file, which is new.</summary>
    public void Repeat() => Files.SetMode(path, _grants.Length == 0 ? GroupMode : EveryoneMode);

    private void Take(ImmutableArray<AccessRule> rules)
    {
        if (rules != _rules)
        {
            return;
        }

        _grants =
        [
            .. rules.Select(rule => new Grant(
                rule,
                rule.User is { } user ? UserDirectory.Host.FindUser(user, out AccountError? _)?.Uid : null,
                rule.Group is { } group ? UserDirectory.Host.FindGroup(group, out AccountError? _) : null))
                .Where(grant => grant is { Uid: not null } or { Gid: not null }),
        ];
        Repeat();
    }
}
