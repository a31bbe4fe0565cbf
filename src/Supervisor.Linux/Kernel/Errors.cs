using Supervisor.Core.Listeners.History;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>From the native error to the domain's.</summary>
internal static class Errors
{
    /// <summary>Adds the call's arguments, as a person reads them.</summary>
    public static SystemCallFailure With(this SystemCallError error, string arguments) =>
        new(error.Call, arguments, error.Errno, error.Name, error.Text);
}
