using System.Globalization;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>Compares the requested value with the kernel's, and explains the difference.</summary>
public static class ReadBack
{
    /// <summary>The verdict on an option whose setsockopt succeeded.</summary>
    /// <param name="option">The option.</param>
    /// <param name="requested">The requested value; null if none was.</param>
    /// <param name="effective">The value from getsockopt; null if the kernel does not show it.</param>
    public static Verdict Compare(SocketOption option, OptionValue? requested, OptionValue? effective)
    {
        if (requested is null)
        {
            return Verdict.Inherited;
        }

        if (effective is null || requested == effective)
        {
            return Verdict.Exact;
        }

        return option.Shape == OptionShape.Flag ? Verdict.Ignored : Verdict.Adjusted;
    }

    /// <summary>Why the kernel keeps another value; null if there is no explanation.</summary>
    /// <param name="option">The option.</param>
    /// <param name="requested">The requested value.</param>
    /// <param name="effective">The value from getsockopt.</param>
    /// <param name="bound">The value of the sysctl that <see cref="SocketOption.BoundedBy"/> names, if it is a number.</param>
    public static string? Explain(SocketOption option, OptionValue requested, OptionValue? effective, long? bound)
    {
        if (effective?.Number is not { } got || requested.Number is not { } asked || got == asked)
        {
            return null;
        }

        if (option.IsReadLike(SocketOptions.ReceiveBuffer) || option.IsReadLike(SocketOptions.SendBuffer))
        {
            if (got == asked * 2)
            {
                return "doubled: the kernel counts its own bookkeeping (socket(7))";
            }

            if (bound is { } cap && asked > cap && got == cap * 2)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"capped by {option.BoundedBy} = {cap}, then doubled; raise the sysctl, or set buffers.force with CAP_NET_ADMIN");
            }

            return got > asked * 2 ? "raised to the kernel's minimum" : "limited by the kernel";
        }

        if (option == SocketOptions.DeferAccept)
        {
            return "rounded to whole retransmissions of the SYN-ACK (1, 3, 7, 15 s and so on)";
        }

        if (option == SocketOptions.FastOpen && bound is { } limit)
        {
            return string.Create(CultureInfo.InvariantCulture, $"capped by {option.BoundedBy} = {limit}");
        }

        if (option == SocketOptions.TypeOfService || option == SocketOptions.TrafficClass)
        {
            return "TCP controls the two ECN bits (ip(7))";
        }

        return "the kernel keeps another value";
    }

    /// <summary>Why the kernel keeps another backlog; null if it does not.</summary>
    public static string? ExplainBacklog(long requested, long? effective, long? somaxconn)
    {
        if (effective is null)
        {
            return somaxconn < requested
                ? string.Create(CultureInfo.InvariantCulture, $"this kernel does not show it; net.core.somaxconn = {somaxconn} caps it")
                : "this kernel does not show it";
        }

        return effective >= requested
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"capped by net.core.somaxconn = {somaxconn ?? effective}; raise the sysctl, then listenctl reload");
    }
}
