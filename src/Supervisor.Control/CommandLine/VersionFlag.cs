using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Supervisor.Control.CommandLine;

/// <summary>
/// <c>--version</c> of listend and listenctl, with any command or none: prints <c>NAME VERSION</c>, with <c>--json</c> a document.
/// </summary>
public sealed class VersionFlag : Option<bool>
{
    /// <param name="program">The name to print before the version.</param>
    public VersionFlag(string program)
        : base("--version")
    {
        Description = "Show the version";
        Recursive = true;
        Arity = ArgumentArity.Zero;
        Action = new PrintVersion(program);
    }

    /// <summary>The version, which all assemblies share, with the source revision after a "+".</summary>
    public static string Version { get; } =
        typeof(VersionFlag).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    private sealed class PrintVersion(string program) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            // By its words, because another error of the command line does not matter here.
            var isJson = parseResult.Tokens.Any(token => token is { Type: TokenType.Option, Value: "--json" });
            parseResult.InvocationConfiguration.Output.WriteLine(isJson
                ? $$"""{"name":"{{program}}","version":"{{Encoded(Version)}}"}"""
                : $"{program} {Version}");
            return 0;
        }

        private static string Encoded(string text) =>
            JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
    }
}
