using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;

namespace Supervisor.Config.Validation;

/// <summary>A listener has only settings that can apply to its address (<see cref="Applicability"/>).</summary>
internal static class ApplicableSettings
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        foreach (var listener in config.Listeners.Where(listener => listener.Given.ContainsKey("address")))
        {
            foreach (var given in listener.Given.Values.Where(given => !given.RepeatsDefault))
            {
                if (given.Setting.Refusal?.Invoke(listener.Spec) is { } fault)
                {
                    var value = given.Node.Shown is { } shown ? $"{shown} {fault.Message}" : fault.Message;
                    var (file, line, column) = given.Node.Position;
                    yield return new ConfigDiagnostic(file, line, column, given.Path, value, fault.Remedy);
                }
            }
        }
    }
}
