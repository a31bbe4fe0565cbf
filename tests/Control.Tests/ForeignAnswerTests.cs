using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
using Xunit;

namespace Supervisor.Control.Tests;

/// <summary>Answers that are JSON and not from listend, or from an older one.</summary>
public sealed class ForeignAnswerTests
{
    private static readonly string[] Documents =
    [
        "status", "status api", "listeners", "listeners web", "history web", "diagnose", "diagnose web", "connections", "restart api",
        "promote api", "abort api", "start api", "stop api", "scale api 2", "signal api HUP", "reload", "reload --dry-run", "upgrade",
        "metrics", "top",
    ];

    private static readonly string[] Streams =
    [
        "history web --follow", "restart api --wait", "promote api --wait", "abort api --wait", "start api --wait", "stop api --wait",
        "reload --wait", "logs api", "logs api --follow",
    ];

    private static readonly string[] Bodies =
    [
        """{"a":1}""", "{}", "[]", "[null]", "[{}]", "null", "1", "\"x\"", """{"actions":null}""", """{"actions":[null]}""",
        """{"daemon":null,"services":null}""", """{"daemon":{},"services":[null]}""", """{"listeners":[null],"host":{"findings":[null]}}""",
    ];

    [Fact]
    public void A_document_without_the_fields_exits_3_for_every_verb()
    {
        foreach (var body in Bodies)
        {
            using var daemon = new FakeDaemon(_ => FakeDaemon.Json(body));
            foreach (var verb in Documents.Where(verb => !IsEmptyList(verb, body)))
            {
                IsRefused(daemon, verb, body);
            }

            using var stream = new FakeDaemon(_ => FakeDaemon.Stream([body + "\n"]));
            foreach (var verb in Streams)
            {
                IsRefused(stream, verb, body);
            }

            using var events = new FakeDaemon(_ => FakeDaemon.Stream([$"data: {body}\n\n"], type: "text/event-stream"));
            IsRefused(events, "events", body);
            IsRefused(events, "events --follow", body);
        }
    }

    [Fact]
    public void An_empty_document_exits_3_for_every_verb()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json(""));
        foreach (var verb in Documents)
        {
            IsRefused(daemon, verb, "");
        }
    }

    [Fact]
    public void The_error_names_the_missing_fields()
    {
        using var daemon = new FakeDaemon(_ => FakeDaemon.Json("""{"a":1}"""));
        Assert.Equal(
            $"listenctl: the program at {daemon.SocketPath} is not listend: its answer is not the expected JSON "
                + "(without 'daemon', 'services')\nName the control socket with --socket PATH or $LISTEND_CONTROL.\n",
            Listenctl.Run(daemon, "status").Error);
    }

    [Fact]
    public void Fields_that_came_later_and_those_that_may_be_null_are_optional()
    {
        var status = StrictJson.Read(
            """
            {"daemon":{"pid":1,"version":"0","started_at":"2026-03-04T12:00:00Z","upgrades":0,"runtime_directory":"/run/listend"},
             "services":[{"name":"api","state":"running","generation":1,"desired":1,"ready":1,"listeners":["web"],
              "workers":[{"slot":0,"generation":1,"state":"ready","restarts":0}]}]}
            """u8,
            ControlJson.Default.StatusDocument);
        Assert.Null(status.Daemon.ConfigFile);
        Assert.Empty(status.Services[0].WaitsFor);
        Assert.Null(status.Services[0].Workers[0].Pid);
    }

    /// <summary>The serializer sets an init-only property without a value to null, whatever its initializer says.</summary>
    [Fact]
    public void A_later_field_is_nullable_or_can_be_set_after_construction()
    {
        var nullability = new NullabilityInfoContext();
        var wrong =
            from type in typeof(StatusDocument).Assembly.GetExportedTypes()
            where type.Name.EndsWith("Document", StringComparison.Ordinal)
            let parameters = type.GetConstructors().SelectMany(made => made.GetParameters()).Select(parameter => parameter.Name).ToHashSet()
            from property in type.GetProperties()
            where !property.PropertyType.IsValueType && !parameters.Contains(property.Name)
                && property.GetCustomAttribute<RequiredMemberAttribute>() is null
                && property.SetMethod is { } set && set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit))
                && nullability.Create(property).ReadState == NullabilityState.NotNull
            select $"{type.Name}.{property.Name}";
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("""{"daemon":{"pid":1},"services":[]}""")]
    [InlineData("""{"daemon":null,"services":[]}""")]
    [InlineData("""{"services":[]}""")]
    public void A_field_that_the_client_needs_is_required(string document)
    {
        var bytes = Encoding.UTF8.GetBytes(document);
        Assert.Throws<JsonException>(() => StrictJson.Read(bytes, ControlJson.Default.StatusDocument));
    }

    [Theory]
    [InlineData("status", "")]
    [InlineData("--json status", """{"type":"about:blank","title":"Failed","status":500,"detail":"internal error, please report it: """)]
    public void A_fault_of_the_client_itself_is_one_line_and_exits_1(string command, string output)
    {
        var printed = new MemoryStream();
        var error = new StringWriter { NewLine = "\n" };
        var exitCode = ListenctlProgram.Run(
            command.Split(' '),
            new CommandContext
            {
                Output = printed,
                Error = error,
                OutputIsTerminal = false,
                Size = () => (80, 24),
                Clock = TimeProvider.System,
                Variable = _ => throw new InvalidOperationException("on\npurpose"),
            });
        Assert.Equal(ExitCode.Failed, exitCode);
        var line = error.ToString();
        Assert.StartsWith("listenctl: internal error, please report it: InvalidOperationException at ", line, StringComparison.Ordinal);
        Assert.Single(line, c => c == '\n');
        Assert.StartsWith(output, Encoding.UTF8.GetString(printed.ToArray()), StringComparison.Ordinal);
    }

    /// <summary>An empty list has all fields.</summary>
    private static bool IsEmptyList(string verb, string body) =>
        body == "[]" && verb is "listeners" or "listeners web" or "history web" or "connections";

    private static void IsRefused(FakeDaemon daemon, string verb, string body)
    {
        foreach (var args in new[] { verb.Split(' '), ["--json", .. verb.Split(' ')] })
        {
            var result = Listenctl.Run(daemon, args);
            var what = $"{string.Join(' ', args)}, {body}: {result}";
            Assert.True((result.ExitCode, result.Output) == (ExitCode.Unreachable, ""), what);
            Assert.True(result.Error.Contains("is not listend: ", StringComparison.Ordinal), what);
        }
    }
}
