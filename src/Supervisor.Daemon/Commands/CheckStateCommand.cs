using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using Supervisor.Config;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;
using Supervisor.Core;
using Supervisor.Core.State;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Runtime;
using Supervisor.Daemon.Validation;
using Supervisor.Native;

namespace Supervisor.Daemon.Commands;

/// <summary>
/// <c>listend check-state</c>: whether this executable could go on where a running daemon is now. A running daemon asks the
/// executable that is to replace it; people have no use for it.
/// </summary>
internal static class CheckStateCommand
{
    public const string Name = "check-state";

    public static Command Create()
    {
        var state = new Option<int>("--state-fd") { Description = "A descriptor of a sealed memory file with the state", Required = true };
        var config = new Option<string?>("--config") { Description = "The configuration file, which must have no errors" };
        var trusted = ConfigOptions.TrustedOwner();
        var check = new Command(Name, "Check that this executable understands the state of a running daemon") { state, config, trusted };
        check.Hidden = true;
        check.SetAction(parsed =>
        {
            PathAudit.CommandLine = parsed.GetValue(trusted) ?? [];
            using var memory = new DescriptorHandle(parsed.GetValue(state));
            if (Succession.ReadSealed(memory, out var refused) is not { } bytes)
            {
                memory.SetHandleAsInvalid();
                Console.Error.WriteLine($"descriptor {parsed.GetValue(state)} is no sealed state{(refused is { } why ? $": {why}" : "")}");
                return 1;
            }

            if (!ManifestFormat.TryRead(bytes, out var manifest, out _, out var error))
            {
                Console.Error.WriteLine(Printable.Line(error));
                return 1;
            }

            var accepted = new DaemonConfig { TrustedOwners = manifest.Config.TrustedOwners };
            if (manifest.Config.RuntimeDirectory is { } directory && TrustedRuntimeDirectory.Error(directory, accepted, new ConfigPlaces()) is { } exposed)
            {
                Console.Error.WriteLine(exposed);
                return 1;
            }

            if (parsed.GetValue(config) is { } path)
            {
                var given = manifest.Listeners.Where(entry => entry.IsGiven).Select(entry => entry.Spec.Name).ToHashSet(StringComparer.Ordinal);
                var result = ConfigLoading.Load(path, Profile.State, ConfigLoading.Context with { IsGiven = given.Contains });
                foreach (var one in result.Errors)
                {
                    Console.Error.WriteLine(Printable.Line(one.ToString()));
                }

                if (!result.Errors.IsEmpty)
                {
                    return 1;
                }
            }

            Console.Out.WriteLine(JsonSerializer.Serialize(
                new StateVerdict(DaemonProcess.Version, ManifestFormat.Current, Convert.ToHexStringLower(SHA256.HashData(bytes))), StateVerdictJson.Default.StateVerdict));
            return 0;
        });
        return check;
    }
}
