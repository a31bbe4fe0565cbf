using System.Collections.Concurrent;
using Supervisor.Core.Listeners;

namespace Supervisor.Linux.Steering;

/// <summary>How new connections find one of several sockets of an address.</summary>
public enum SelectionMeans
{
    /// <summary>By listend's program with its maps (<see cref="SteeringEngine"/>).</summary>
    Program,

    /// <summary>By a classic BPF program, which numbers the sockets: CAP_BPF is missing, or the kernel is too old.</summary>
    Classic,

    /// <summary>By the kernel's hash: the kernel accepts no program for this kind.</summary>
    Hash,
}

/// <summary>What this kernel allows this process, to select among the sockets of an address.</summary>
/// <param name="Means">The best means.</param>
/// <param name="WhyNot">Why it is not <see cref="SelectionMeans.Program"/>; null if it is.</param>
public sealed record KernelSelection(SelectionMeans Means, string? WhyNot)
{
    private static readonly ConcurrentDictionary<ListenerKind, KernelSelection> Known = new();

    /// <summary>The means in the words of the public interface.</summary>
    public string Word => Means switch
    {
        SelectionMeans.Program => "bpf",
        SelectionMeans.Classic => "classic-bpf",
        SelectionMeans.Hash => "hash",
        _ => throw new InvalidOperationException($"unknown means {Means}"),
    };

    /// <summary>
    /// Asks the kernel, once for each kind: loads a program, which takes about a millisecond, and closes it. Neither the capabilities of
    /// this process nor its seccomp filter permit more later.
    /// </summary>
    public static KernelSelection Of(ListenerKind kind) => Known.GetOrAdd(kind, static kind =>
    {
        using var engine = SteeringEngine.Create(new SteeringTerms(kind, null), out var whyNot);
        return engine is not null ? new KernelSelection(SelectionMeans.Program, null)
            : new KernelSelection(SteeringEngine.Supports(kind) ? SelectionMeans.Classic : SelectionMeans.Hash, whyNot);
    });
}
