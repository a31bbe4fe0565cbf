namespace Supervisor.Core.Services;

/// <summary>One resource limit; getrlimit(2).</summary>
/// <param name="Name">The name without RLIMIT_, in small letters.</param>
/// <param name="Resource">The Linux ABI's number.</param>
/// <param name="Value">The hard limit; <see cref="ulong.MaxValue"/> is RLIM_INFINITY, or the highest value that the worker may have.</param>
/// <param name="Soft">
/// The soft limit, not above the hard one; null: the same as the hard limit. With it, limits that are not permitted become the highest
/// permitted ones, as in systemd.
/// </param>
public sealed record ResourceLimit(string Name, int Resource, ulong Value, ulong? Soft = null)
{
    /// <summary>Whether its hard limit is "infinity".</summary>
    public bool IsInfinite() => Value == ulong.MaxValue;

    /// <summary>The value in the configuration's syntax: RLIM_INFINITY is "infinity".</summary>
    public string Spelled() => (Soft is { } soft ? Spelled(soft) + ":" : "") + Spelled(Value);

    private static string Spelled(ulong value) =>
        value == ulong.MaxValue ? "infinity" : value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
