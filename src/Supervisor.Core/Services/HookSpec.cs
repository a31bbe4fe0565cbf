using System.Collections.Immutable;

namespace Supervisor.Core.Services;

/// <summary><c>hooks</c>: a program and its arguments each; empty: none.</summary>
public sealed record HookSpec
{
    /// <summary>Before the first worker of a generation starts.</summary>
    public ImmutableArray<string> PreStart { get; init; } = [];

    /// <summary>When all workers of a generation are ready.</summary>
    public ImmutableArray<string> PostReady { get; init; } = [];

    /// <summary>When the last worker has exited.</summary>
    public ImmutableArray<string> PostStop { get; init; } = [];
}
