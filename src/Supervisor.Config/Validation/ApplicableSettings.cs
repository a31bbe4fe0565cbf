using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>A listener has only settings that can act on its address. Each setting's row says on which it can.</summary>
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
                    yield return new ConfigDiagnostic(given.Node.Position.File, given.Node.Position.Line, given.Node.Position.Column, given.Path, value, fault.Remedy);
                }
            }
        }
    }
}
