namespace Supervisor.EndToEnd;

/// <summary>A system call on a socket, from strace or from the history.</summary>
/// <param name="Call">The call.</param>
internal sealed record TracedCall(string Call)
{
    /// <summary>The option of setsockopt().</summary>
    public string? Option { get; init; }

    /// <summary>The argument.</summary>
    public string? Value { get; init; }

    /// <summary>The value of getsockopt() afterwards.</summary>
    public string? Effective { get; init; }

    /// <summary>The kernel's error.</summary>
    public string? Errno { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Call} {Option} {Value}{(Effective is null ? "" : $" -> {Effective}")}{(Errno is null ? "" : $": {Errno}")}";
}
