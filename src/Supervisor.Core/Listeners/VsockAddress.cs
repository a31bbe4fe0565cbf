using System.Globalization;

namespace Supervisor.Core.Listeners;

/// <summary>Reads vsock addresses, vsock(7): CID:PORT.</summary>
internal static class VsockAddress
{
    /// <summary>Reads what follows the scheme.</summary>
    /// <param name="text">The whole address, for the message.</param>
    /// <param name="rest">What follows the scheme.</param>
    /// <param name="address">The address; null with an error.</param>
    /// <param name="error">What is wrong; null with an address.</param>
    public static bool TryParse(string text, string rest, out ListenAddress? address, out AddressError? error)
    {
        address = null;
        error = null;
        var colon = rest.LastIndexOf(':');
        if (colon < 0)
        {
            error = AddressError.Syntax($"\"{text}\" has no port: write vsock://CID:PORT, with * for any CID");
            return false;
        }

        uint cid;
        switch (rest[..colon])
        {
            case "*" or "any":
                cid = ListenAddress.VsockAny;
                break;
            case "hypervisor":
                cid = 0;
                break;
            case "local":
                cid = 1;
                break;
            case "host":
                cid = 2;
                break;
            case var number when uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out cid):
                break;
            default:
                error = AddressError.Syntax($"\"{rest[..colon]}\" in \"{text}\" is not a CID: write a number, local, host or *");
                return false;
        }

        if (!uint.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            error = AddressError.Syntax(
                $"port \"{rest[(colon + 1)..]}\" in \"{text}\" is out of range: "
                + "a vsock port is 0 to 4294967295, and 0 means any free port");
            return false;
        }

        address = ListenAddress.Vsock(cid, port);
        return true;
    }
}
