namespace Supervisor.Config.Import;

/// <summary>Hosts of addresses in other programs' configurations, which may be names; a listener's is numeric.</summary>
internal static class ImportedHosts
{
    /// <summary>The address with "localhost" as 127.0.0.1, and no host as all; other names stay, and are refused by the parser.</summary>
    public static string Numeric(string address, out string? remark)
    {
        remark = null;
        var start = address.IndexOf("://", StringComparison.Ordinal) + 3;
        var rest = address[start..];
        if (rest.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase))
        {
            remark = "localhost; [::1] would be a listener of its own";
            return address[..start] + "127.0.0.1" + rest["localhost".Length..];
        }

        return rest.StartsWith(':') ? $"{address[..start]}0.0.0.0{rest}" : address;
    }
}
