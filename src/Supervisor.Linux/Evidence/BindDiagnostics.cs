using System.Collections.Immutable;
using System.Diagnostics;
using System.Net.Sockets;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Explains why a bind fails, or would fail: asks the kernel, collects the evidence for that refusal, and lets
/// <see cref="BindFailureClassifier"/> decide. For the daemon's start, for <c>listend check</c> and for <c>listenctl
/// explain</c>, which needs no daemon. It leaves nothing behind.
/// </summary>
public static class BindDiagnostics
{
    /// <summary>
    /// Checks whether <paramref name="spec"/> can be bound here and now. On the loop with its budget, elsewhere without.
    /// </summary>
    public static BindDiagnosis Ask(ListenerSpec spec, LeftoverHolders predecessors, EvidenceBudget? budget = null)
    {
        if (spec.NetworkNamespace is { } path && !spec.Address.IsFile)
        {
            return NamespaceCall.Run(
                path, budget is null ? EvidenceBudget.OfCommand : NamespaceCall.Patience,
                () => Ask(spec with { NetworkNamespace = null }, predecessors, budget),
                failure => BindFailureClassifier.Classify(failure, spec, BindEvidence.None));
        }

        if (spec.Address.HasPath)
        {
            var finding = Examine(spec);
            return finding.Failure is { } refused && !CanMakeDirectory(spec, refused)
                ? Explain(refused, spec, predecessors, finding, budget)
                : Granted(spec, finding.IsFull);
        }

        if (BindProbe.Ask(spec, out var domain) is not { } failure)
        {
            return Granted(spec);
        }

        var diagnosis = Explain(failure, Of(spec, domain), predecessors, finding: null, budget);

        // The holder may have closed its socket between the refusal and the evidence. If that is possible, the kernel is asked
        // again.
        return IsFleeting(diagnosis) && BindProbe.Ask(spec, out _) is null
            ? Granted(spec)
            : diagnosis with { Address = spec.Address.ToString() };
    }

    /// <summary>Whether the start of the listener would make the missing directory (<c>unix.directory_mode</c>).</summary>
    private static bool CanMakeDirectory(ListenerSpec spec, SystemCallFailure refused)
    {
        if (spec.Unix.DirectoryMode is null || refused.Errno != ENOENT)
        {
            return false;
        }

        using var walk = PathWalk.Of(Path.GetDirectoryName(spec.Address.Path)!, PathTrust.InForce, stopAtFlaw: true);
        return walk is { FirstFlaw: null, Target: null, Parent: not null, Error: null or { Errno: ENOENT } };
    }

    /// <summary>
    /// Whether one of these sockets receives at that address, and no other socket receives at its port. The kernel looks only at
    /// listening sockets for it: not at its table of connections, which can have a million places.
    /// </summary>
    public static bool IsHeldBy(ListenerSpec spec, IReadOnlySet<ulong> sockets)
    {
        if (spec.Address.Kind is not (ListenerKind.Tcp or ListenerKind.Udp) || spec.NetworkNamespace is not null || spec.Address.Port == 0)
        {
            return false;
        }

        var space = spec.Address.Kind == ListenerKind.Tcp ? PortSpace.Tcp : PortSpace.Udp;
        var binders = InternetSockets.Binders(space, (int)spec.Address.Port);
        return binders.Exists(one => one.Address == spec.Address.ToString()) && binders.TrueForAll(one => sockets.Contains(one.Inode));
    }

    /// <summary>Whether the kernel would bind the address now. Not for a UNIX path.</summary>
    internal static bool CanBind(ListenerSpec spec) => spec.NetworkNamespace is { } path
        ? NamespaceCall.Run(path, NamespaceCall.Patience, () => CanBind(spec with { NetworkNamespace = null }), static _ => false)
        : BindProbe.Ask(spec, out _) is null;

    /// <summary>
    /// The present evidence about a listener that could not be made; null if there is no answer in time. On the loop, with its budget.
    /// </summary>
    internal static BindDiagnosis? AskAgain(ListenerSpec spec, LeftoverHolders predecessors, EvidenceBudget budget)
    {
        if (!spec.Address.HasPath)
        {
            return Ask(spec, predecessors, budget);
        }

        return ExamineInTime(spec) is not { } finding ? null
            : finding.Failure is { } refused ? Explain(refused, spec, predecessors, finding, budget)
            : Granted(spec, finding.IsFull);
    }

    /// <summary>
    /// Explains a refusal that has happened to a socket of family <paramref name="domain"/>. On the loop with its budget,
    /// elsewhere without.
    /// </summary>
    public static BindDiagnosis Explain(
        SystemCallFailure failure, ListenerSpec spec, SocketDomain domain, LeftoverHolders predecessors, EvidenceBudget? budget = null)
    {
        if (failure.Call == "setns")
        {
            return BindFailureClassifier.Classify(failure, spec, BindEvidence.None);
        }

        if (spec.NetworkNamespace is { } path && !spec.Address.IsFile)
        {
            return NamespaceCall.Run(
                path, budget is null ? EvidenceBudget.OfCommand : NamespaceCall.Patience,
                () => Explain(failure, spec with { NetworkNamespace = null }, domain, predecessors, budget),
                _ => BindFailureClassifier.Classify(failure, spec, BindEvidence.None));
        }

        var isPath = spec.Address.HasPath && (failure.Call == "bind" || !spec.Address.Kind.IsSocket());
        var diagnosis = Explain(failure, Of(spec, domain), predecessors, isPath ? ExamineInTime(spec) : null, budget);
        return diagnosis with { Address = spec.Address.ToString() };
    }

    private static UnixPath.Finding Examine(ListenerSpec spec) =>
        spec.Address.Kind.IsSocket() ? UnixPath.Examine(spec.Address) : OpenedPath.Examine(spec);

    /// <summary>
    /// Examines a path. It can belong to other users and be slow, and this runs on the loop; null if there is no answer in
    /// time.
    /// </summary>
    private static UnixPath.Finding? ExamineInTime(ListenerSpec spec) =>
        new ForeignCall<UnixPath.Finding?>(null, () => Examine(spec), static _ => null)
            .TryGet(SocketPlace.Patience, out var finding) ? finding : null;

    private static BindDiagnosis Explain(
        SystemCallFailure failure, ListenerSpec spec, LeftoverHolders predecessors, UnixPath.Finding? finding, EvidenceBudget? budget)
    {
        var evidence = BindEvidence.None;

        // Of the thread that was refused, which may have other rights than the one that searches.
        var mayBindAnyPort = failure.Errno is EACCES or EPERM && OwnRights.MayBindAnyPort;
        void Collect(long until)
        {
            foreach (var found in Gather(failure, spec, predecessors, finding, until))
            {
                Volatile.Write(ref evidence, found with { MayBindAnyPort = mayBindAnyPort });
            }
        }

        if (budget is null)
        {
            Collect(long.MaxValue);
        }
        else if (!budget.TryRun(Collect) && ReferenceEquals(Volatile.Read(ref evidence), BindEvidence.None))
        {
            // sock_diag and the kernel's tables answer at once, and no process is read for them.
            evidence = Gather(failure, spec, predecessors, finding, until: 0).First();
        }

        return BindFailureClassifier.Classify(failure, spec, Volatile.Read(ref evidence));
    }

    /// <summary>
    /// The evidence as it grows: each item has all of the item before it, and all but the last are partial. Reads that may wait
    /// for another process (the close of a borrowed descriptor, a command line, an environment) come last.
    /// </summary>
    private static IEnumerable<BindEvidence> Gather(
        SystemCallFailure failure, ListenerSpec spec, LeftoverHolders predecessors, UnixPath.Finding? finding, long until)
    {
        var address = spec.Address;
        var uid = Processes.EffectiveUid;
        var evidence = new BindEvidence
        {
            Uid = uid,
            Device = address.Kind.IsInternet() ? BindProbe.Device(spec) : 0,
            Namespace = NetworkNamespace.Foreign(),
            Path = finding?.State ?? UnixPathState.Unknown,
            FileKind = finding?.FileKind,
        };
        switch (failure.Name)
        {
            case "EADDRINUSE":
                var holders = address.Kind == ListenerKind.Sctp ? []
                    : address.Kind.IsInternet()
                    ? InternetSockets.OfPort(address.Kind.SpeaksTcp() ? PortSpace.Tcp : PortSpace.Udp, (int)address.Port)
                    : finding is not null ? finding.Holders
                    : address.IsAbstract ? UnixSockets.OfName(address)
                    : [];
                evidence = evidence with { Holders = [.. holders], ShowsBound = IsAtLeast(6, 8), IsPartial = true };
                yield return evidence;
                var descriptors = new List<OpenFiles.Found>();
                (holders, var seen) = SocketOwners.Find(holders, descriptors, until);
                evidence = evidence with { Holders = [.. holders], HiddenProcesses = seen.Hidden };
                yield return evidence;
                if (address.Kind.IsInternet() && Stopwatch.GetTimestamp() <= until)
                {
                    SharingFlags.Find(holders, descriptors, spec, uid);
                    evidence = evidence with { Holders = [.. holders] };
                    yield return evidence;
                }

                holders = SocketOwners.Complete(holders, predecessors, until);
                evidence = evidence with { Holders = [.. holders] };
                yield return evidence;
                holders = ListendHolders.Name(SystemdSockets.Name(holders), until);
                evidence = evidence with { Holders = [.. holders], IsPartial = seen.Unseen > 0 || Stopwatch.GetTimestamp() > until };
                break;
            case "EADDRNOTAVAIL" when address.Kind == ListenerKind.Vsock:
                evidence = evidence with { LocalCid = Sockets.LocalVsockCid() };
                break;
            case "EADDRNOTAVAIL" or "EINVAL" or "ENODEV":
                var table = AddressTable.Read();
                evidence = evidence with
                {
                    Addresses = [.. table.Addresses],
                    Interfaces = [.. table.Interfaces],
                    IPv6Disabled = address.Host is { AddressFamily: AddressFamily.InterNetworkV6 } && IsIPv6Disabled(table, address),
                };
                break;
            case "EACCES" or "EPERM":
                evidence = evidence with
                {
                    UnprivilegedPortStart = Sysctl.ReadNumber("net.ipv4.ip_unprivileged_port_start") ?? 1024,
                    SecurityModules = ProcessFacts.SecurityModules(),
                    IsPolicy = true,
                    IsPathWritable = finding is { Failure: null },
                };
                break;
        }

        yield return evidence;
    }

    /// <summary>
    /// Whether the holder may have closed its socket since the refusal: no holder is visible, or only a socket without a
    /// process.
    /// </summary>
    internal static bool IsFleeting(BindDiagnosis diagnosis) => diagnosis is { Errno: "EADDRINUSE", IsPartial: false }
        && (diagnosis.Cause == BindCause.Unexplained || diagnosis.Holders.Any(holder => holder.Inode != 0 && holder.Processes.IsEmpty));

    private static BindDiagnosis Granted(ListenerSpec spec, bool isFull = false)
    {
        var warnings = BindWarnings.For(
            spec,
            Sysctl.ReadNumber("net.core.somaxconn"),
            BindWarnings.ParseRange(Sysctl.Read("net.ipv4.ip_local_port_range")),
            Sysctl.Read("net.ipv4.ip_local_reserved_ports"),
            isFull);
        return new BindDiagnosis
        {
            Address = spec.Address.ToString(),
            Errno = null,
            Cause = null,
            Verdict = "",
            Advice = string.Join(". ", warnings),
            Warnings = warnings,
        };
    }

    /// <summary>Treats "*" as the family that was refused.</summary>
    private static ListenerSpec Of(ListenerSpec spec, SocketDomain domain) =>
        spec.Address.IsAnyFamily ? spec with { Address = ListenerPlan.For(spec, domain).Address } : spec;

    private static bool IsIPv6Disabled(AddressTable table, ListenAddress address)
    {
        if (Sysctl.ReadNumber("net.ipv6.conf.all.disable_ipv6") == 1)
        {
            return true;
        }

        var where = System.Net.IPAddress.IPv6Loopback.Equals(address.Host)
            ? ["lo"]
            : table.Interfaces.Where(name => name != "lo").ToImmutableArray();
        return where.Length > 0 && where.All(name => Sysctl.ReadNumber($"net.ipv6.conf.{name.Replace('.', '/')}.disable_ipv6") == 1);
    }

    private static bool IsAtLeast(int major, int minor) =>
        Environment.OSVersion.Version is var version && (version.Major, version.Minor).CompareTo((major, minor)) >= 0;
}
