namespace Supervisor.EndToEnd;

/// <summary>A system call on a socket, or an entry of the history that says so.</summary>
/// <param name="Call">The call.</param>
internal sealed record TracedCall(string Call)
{
    /// <summary>The option, of setsockopt().</summary>
    public string? Option { get; init; }

    /// <summary>Its argument.</summary>
    public string? Value { get; init; }

    /// <summary>What getsockopt() said afterwards.</summary>
    public string? Effective { get; init; }

    /// <summary>How the kernel refused it.</summary>
    public string? Errno { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Call} {Option} {Value}{(Effective is null ? "" : $" -> {Effective}")}{(Errno is null ? "" : $": {Errno}")}";
}
