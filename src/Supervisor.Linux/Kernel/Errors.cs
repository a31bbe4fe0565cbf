using Supervisor.Core.Listeners.History;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Converts a native error into the domain's.</summary>
internal static class Errors
{
    /// <summary>Adds the call's arguments in readable form.</summary>
    public static SystemCallFailure With(this SystemCallError error, string arguments) =>
        new(error.Call, arguments, error.Errno, error.Name, error.Text);
}
