namespace Supervisor.Config.Import;

/// <summary>Hosts of addresses in other programs' configurations. They may be names; the address of a listener is numeric.</summary>
internal static class ImportedHosts
{
    /// <summary>The address with 127.0.0.1 for "localhost" and 0.0.0.0 for an empty host. The parser rejects other names.</summary>
    public static string Numeric(string address, out string? remark)
    {
        remark = null;
        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
        {
            return address;
        }

        var start = scheme + "://".Length;
        var rest = address[start..];
        if (rest.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase))
        {
            remark = "localhost; [::1] needs a second listener";
            return address[..start] + "127.0.0.1" + rest["localhost".Length..];
        }

        return rest.StartsWith(':') ? $"{address[..start]}0.0.0.0{rest}" : address;
    }
}
