using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>Text about what a generation is pinned to, where the configuration leads elsewhere by now.</summary>
internal static class PinText
{
    /// <summary>How a worker was executed from a pinned file, without the worker's name before it.</summary>
    public static string Of(PinReport pin, ServiceSpec spec) => pin.Use switch
    {
        PinUse.Resolved => $"{Verb(pin.Kind)} {Printable.Line(pin.Found)}, to which its generation is pinned: "
            + $"{Configured(pin.Kind, spec)} leads elsewhere now; {Restart(spec)}",
        PinUse.Descriptor => $"{Verb(pin.Kind)} {Printable.Line(pin.OwnPath)}, to which its generation is pinned and which was removed "
            + $"or replaced: the worker does not find files next to it; {Restart(spec)}",
        PinUse.Replaced => $"{Verb(pin.Kind)} {Printable.Line(pin.OwnPath)}, which is not the file to which its generation was pinned: "
            + $"that file was replaced, and no daemon holds it open any more; {Restart(spec)}",
        _ => throw new ArgumentOutOfRangeException(nameof(pin), pin.Use, null),
    };

    /// <summary>Why a worker cannot be executed from a pinned file.</summary>
    public static string Missing(PinKind kind, LaunchPin pin, ServiceSpec spec) =>
        $"{Configured(kind, spec)}: the generation is pinned to {Printable.Line(pin.OwnPath)}, which does not exist any more; "
        + Restart(spec);

    private static string Verb(PinKind kind) => kind == PinKind.Directory ? "works in" : "runs";

    private static string Configured(PinKind kind, ServiceSpec spec) => kind switch
    {
        PinKind.Directory => $"working_directory \"{Printable.Line(spec.WorkingDirectory ?? "")}\"",
        PinKind.Interpreter => $"the interpreter of command \"{Printable.Line(spec.Command[0])}\"",
        PinKind.Script => $"argument \"{Printable.Line(spec.Command[ScriptArgument.IndexOf(spec.Command)])}\"",
        _ => $"command \"{Printable.Line(spec.Command[0])}\"",
    };

    private static string Restart(ServiceSpec spec) => $"listenctl restart {spec.Name} begins a generation from there";
}
