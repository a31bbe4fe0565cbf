using System.CommandLine;
using Supervisor.Core;
using Supervisor.Daemon.Continuity;
using Supervisor.Daemon.Validation;
using Supervisor.Native;

namespace Supervisor.Listend.Commands;

/// <summary>
/// <c>listend check-state</c>: prints whether this executable accepts the state of a running daemon. The daemon runs it before it
/// re-executes itself.
/// </summary>
internal static class CheckStateCommand
{
    public static Command Create()
    {
        var state = new Option<int>(StateCheck.StateOption)
        {
            Description = "A descriptor of a sealed memory file with the state",
            Required = true,
        };
        var config = new Option<string?>("--config") { Description = "The configuration file, which must have no errors" };
        var trusted = ConfigOptions.TrustedOwner();
        var check = new Command(StateCheck.Command, "Check that this executable understands the state of a running daemon")
        {
            state, config, trusted,
        };
        check.Hidden = true;
        check.SetAction(parsed =>
        {
            PathAudit.CommandLine = parsed.GetValue(trusted) ?? [];

            // The caller has passed the descriptor on. It is closed when this process exits.
            var memory = new DescriptorHandle(parsed.GetValue(state));
            var verdict = StateCheck.Run(memory, parsed.GetValue(config), out var errors);
            memory.SetHandleAsInvalid();
            foreach (var error in errors)
            {
                Console.Error.WriteLine(Printable.Line(error));
            }

            if (verdict is null)
            {
                return 1;
            }

            Console.Out.WriteLine(verdict.ToJson());
            return 0;
        });
        return check;
    }
}
